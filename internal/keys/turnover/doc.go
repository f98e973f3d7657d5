// Package turnover replaces the secret that a gate and its operator share, without ending a session: a step is taken when
// every gate was seen to be ready for it, never because time has passed.
//
// A new secret is published as the next one, until each gate has it loaded and so can open what others seal with it. Then it
// becomes the current one, with which gates seal, and the one before it is kept for as long as sessions may be used that
// were sealed with it. Every state is stored before it is acted upon, so a step that was interrupted is taken again.
//
// The package knows neither how gates are asked nor where the secret is stored. Clock and randomness come from outside.
package turnover
