package social

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"time"
)

// digestParts divide the objects of a digest, so that a difference has a size.
const digestParts = 16

// Digest stands for a set of objects, each with its version or as gone. Two sides that
// hold the same have the same digest, in whatever order they count; it takes no more
// room for more objects. It finds differences, not forgeries.
type Digest struct {
	Live, Gone int
	parts      [digestParts][4]uint64
}

// Add counts an object: by the moment of its last edit, or as gone.
func (d *Digest) Add(uri string, edited time.Time, gone bool) {
	version := "gone"
	if gone {
		d.Gone++
	} else {
		d.Live++
		version = strconv.FormatInt(max(0, edited.UnixMilli()), 10)
	}
	name, sum := sha256.Sum256([]byte(uri)), sha256.Sum256([]byte(uri+"\n"+version))
	part := &d.parts[name[0]%digestParts]
	for i := range part {
		part[i] += binary.BigEndian.Uint64(sum[8*i:]) // a sum, since no side has the other's order
	}
}

// Parts writes the digest down, 64 hexadecimal digits for each part.
func (d *Digest) Parts() []string {
	out := make([]string, 0, digestParts)
	for _, p := range d.parts {
		var b [32]byte
		for i, v := range p {
			binary.BigEndian.PutUint64(b[8*i:], v)
		}
		out = append(out, hex.EncodeToString(b[:]))
	}
	return out
}
