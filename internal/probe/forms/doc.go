// Package forms has the catalogue of forms: unusual requests, each with one defect of its token or another. A row is one of
// each. Rows are asked in turn, so that each is asked within a number of checks that is known.
package forms
