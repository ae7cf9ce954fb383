package storage

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"sync"
)

// packed is the first byte of a document that is kept compressed; JSON never begins
// with it.
const packed = 1

// packers holds writers to use again: each has large tables.
type packers struct{ pool sync.Pool }

// pack compresses a document that is kept for long and seldom read. Two documents of
// usual size do not fit on one page of SQLite as they are, three or four do so packed.
func (p *packers) pack(document []byte) ([]byte, error) {
	if len(document) == 0 {
		return nil, nil
	}
	out := bytes.NewBuffer(make([]byte, 0, len(document)/2+64))
	out.WriteByte(packed)
	w, _ := p.pool.Get().(*flate.Writer)
	if w == nil {
		var err error
		if w, err = flate.NewWriter(out, flate.DefaultCompression); err != nil {
			return nil, err
		}
	} else {
		w.Reset(out)
	}
	defer p.pool.Put(w)
	_, err := w.Write(document)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}

// unpack gives the document back.
func unpack(kept []byte) ([]byte, error) {
	if len(kept) == 0 || kept[0] != packed {
		return kept, nil
	}
	document, err := io.ReadAll(flate.NewReader(bytes.NewReader(kept[1:])))
	if err != nil {
		return nil, fmt.Errorf("unpack a document: %w", err)
	}
	return document, nil
}
