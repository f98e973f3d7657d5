package probe

// Asked is how a message to a person names what a case sends: "a request without a token".
func (c Case) Asked() string { return c.asked() }

// KindOf judges one result of the round in the light of all: what the verdict would be if this one decided.
func (r Report) KindOf(result Result) Kind { return r.kind(result) }
