package desired

// Translate is translate, for schemas that no release has yet.
var Translate = translate
