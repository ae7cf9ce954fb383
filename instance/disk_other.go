//go:build !unix

package instance

import "errors"

// disk is not known where file systems are asked in another way.
func disk(string) (size, free int64, err error) { return 0, 0, errors.ErrUnsupported }

// volume is not known either.
func volume(string) (uint64, error) { return 0, errors.ErrUnsupported }
