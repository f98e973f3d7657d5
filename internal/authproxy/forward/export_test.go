package forward

// OnlyLong makes a Forwarder that takes the same way for all requests.
func (f *Forwarder) OnlyLong() *Forwarder {
	f.short = f.long
	return f
}
