package social

// Page asks for a part of a list, newest first. Max and Since are exclusive
// bounds; Min is one too, and takes the oldest entries above it.
type Page struct {
	Max, Since, Min ID
	Limit           int
	// Ends, when set, is told where the list goes on.
	Ends *Ends
}

// Ends are the cursors of the parts beside the one that was read: Older for
// Page.Max, Newer for Page.Min. Zero means that there is none: hidden entries and
// a page that is just full lead nobody astray.
type Ends struct{ Older, Newer ID }

// Clamp bounds the limit: def when none was asked for, at most most.
func (p Page) Clamp(def, most int) Page {
	if p.Limit <= 0 {
		p.Limit = def
	}
	p.Limit = min(p.Limit, most)
	return p
}

// scanPages bounds how many parts of a list are read when the reader may see few
// of its entries; scanMore is the size of each but the first.
const (
	scanPages = 8
	scanMore  = 200
)

// scan fills a page with what show lets through. It reads one entry more than the
// page takes, so that it knows whether the list goes on. read answers newest first;
// at and shown are the cursors of what was read and of what is shown.
func scan[C, V any](p Page, read func(Page) ([]C, error), show func([]C) ([]V, error), at func(C) ID, shown func(V) ID) ([]V, error) {
	up := p.Min != 0
	q := p
	q.Limit = p.Limit + 1
	var out []V
	ended := false
	for range scanPages {
		part, err := read(q)
		if err != nil {
			return nil, err
		}
		kept, err := show(part)
		if err != nil {
			return nil, err
		}
		if up {
			out = append(kept, out...)
		} else {
			out = append(out, kept...)
		}
		if ended = len(part) < q.Limit; ended || len(out) > p.Limit {
			break
		}
		if up {
			q.Min = at(part[0])
		} else {
			q.Max = at(part[len(part)-1])
		}
		q.Limit = max(q.Limit, scanMore)
	}
	more := len(out) > p.Limit
	switch {
	case more && up:
		out = out[len(out)-p.Limit:]
	case more:
		out = out[:p.Limit]
	}
	if p.Ends == nil {
		return out, nil
	}
	*p.Ends = Ends{}
	if len(out) > 0 {
		p.Ends.Newer = shown(out[0])
	}
	switch {
	case up && len(out) > 0:
		return out, lookBelow(p, shown(out[len(out)-1]), read, show)
	case up && !ended: // nothing but hidden entries so far
		p.Ends.Newer = q.Min
	case !up && more:
		p.Ends.Older = shown(out[len(out)-1])
	case !up && !ended: // too many hidden entries to reach the end
		p.Ends.Older = q.Max
	}
	return out, nil
}

// lookBelow says whether anything is older than the last entry of a page that was
// read upwards.
func lookBelow[C, V any](p Page, last ID, read func(Page) ([]C, error), show func([]C) ([]V, error)) error {
	part, err := read(Page{Max: last, Limit: p.Limit})
	if err != nil {
		return err
	}
	kept, err := show(part)
	if len(kept) > 0 || len(part) == p.Limit {
		p.Ends.Older = last
	}
	return err
}
