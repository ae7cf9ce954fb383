//go:build !unix

package storage

// CheckOwner has nothing to look at where files have no user as owner.
func CheckOwner(string) error { return nil }
