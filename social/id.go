package social

import (
	"crypto/rand"
	"encoding/binary"
	"strconv"
	"time"
)

// ID is a 64-bit time-ordered integer of constant length (19 digits until 2248):
// 43 bits of milliseconds since 1970, then 20 random bits. Zero means "none".
// In JSON it is a string, since apps page by [0-9]+ and compare by length.
type ID int64

const idRandomBits = 20

// NewID makes an ID for the moment t. A collision is possible, so inserts retry.
func NewID(t time.Time) ID {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	low := int64(binary.BigEndian.Uint32(b[:])) & (1<<idRandomBits - 1)
	return ID(t.UnixMilli()<<idRandomBits | low)
}

// FirstID is the smallest ID of the moment t.
func FirstID(t time.Time) ID { return ID(t.UnixMilli() << idRandomBits) }

// Time is the moment in the ID, in milliseconds.
func (id ID) Time() time.Time { return time.UnixMilli(int64(id) >> idRandomBits).UTC() }

// String is the id as JSON and addresses write it: decimal digits.
func (id ID) String() string { return strconv.FormatInt(int64(id), 10) }

// ParseID reads what String wrote; anything else is a NotFound error, since an
// id that cannot exist must look like one that does not.
func ParseID(s string) (ID, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if id := ID(n); err == nil && n > 0 && id.String() == s {
		return id, nil
	}
	return 0, NotFoundError()
}
