package attack

func hasRow(string) bool { return true }
