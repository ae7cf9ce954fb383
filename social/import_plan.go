package social

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ImportKind says what a list of people does to one of them.
type ImportKind string

const (
	ImportCreate ImportKind = "create"
	ImportUpdate ImportKind = "update"
	ImportReturn ImportKind = "return" // had left by the list, and stands in it again
	ImportLeave  ImportKind = "leave"  // the list kept them, and does not name them any more
	ImportNote   ImportKind = "note"   // something that is left as it is
)

// ImportChange is one difference between a list and the members.
type ImportChange struct {
	Line     int        `json:"line,omitempty"` // of the list; zero for who is not in it
	Kind     ImportKind `json:"change"`
	Username string     `json:"username"`
	Details  []string   `json:"details,omitempty"` // what becomes what
}

// ImportPlan is what a list of people would change.
type ImportPlan struct {
	Changes   []ImportChange
	Unchanged int
	kept      int // members whom the list kept so far and who are here
	steps     []importStep
}

// importStep is what is done to one account.
type importStep struct {
	kind    ImportKind
	account *Account // of a new member: with its addresses
	row     importRow
	manager string // URI
	keep    bool   // the manager stays: the one named is not known here
}

// Leavers counts who would leave.
func (p *ImportPlan) Leavers() (n int) {
	for _, c := range p.Changes {
		if c.Kind == ImportLeave {
			n++
		}
	}
	return n
}

// MayLeave refuses a plan by which more leave than a fifth of those whom the list
// keeps, or than allowed where that is not negative: half a list looks like an exodus.
func (p *ImportPlan) MayLeave(allowed int) error {
	n := p.Leavers()
	if allowed < 0 {
		allowed = max(1, p.kept/5)
	}
	if n <= allowed {
		return nil
	}
	return &Error{Kind: Conflict, Public: fmt.Sprintf("the list leaves out %d of %d people, and %d may leave at once; if they did leave, say --allow-leavers %d", n, p.kept, allowed, n)}
}

// PlanImport compares a list of people with the members. It writes nothing.
func (s *Service) PlanImport(ctx context.Context, list io.Reader) (*ImportPlan, error) {
	rows, columns, err := readPeople(list)
	if err != nil {
		return nil, err
	}
	var p *planner
	err = s.Store.View(ctx, func(tx Tx) error {
		p = &planner{Service: s, tx: tx, columns: columns, plan: &ImportPlan{}, lines: map[string]int{}, mails: map[string]int{}, fresh: map[string]*Account{}, ids: map[ID]bool{}}
		return p.compare(ctx, rows)
	})
	if err == nil && len(p.faults) > 0 {
		err = badRows(p.faults)
	}
	if err != nil {
		return nil, err
	}
	return p.plan, nil
}

// planner compares.
type planner struct {
	*Service
	tx      Tx
	columns []string
	plan    *ImportPlan
	lines   map[string]int // of usernames
	mails   map[string]int // lines of addresses
	fresh   map[string]*Account
	ids     map[ID]bool
	faults  []string
}

func (p *planner) fault(line int, format string, args ...any) {
	if len(p.faults) < importFaults {
		p.faults = append(p.faults, fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, args...))
	}
}

func (p *planner) compare(ctx context.Context, rows []importRow) error {
	members := make([]*Account, len(rows))
	for i, row := range rows {
		if first := p.lines[row.username]; first > 0 {
			p.fault(row.line, "%s stands in line %d already", row.username, first)
			continue
		}
		p.lines[row.username] = row.line
		a, err := p.tx.AccountByName(ctx, row.username, "")
		if ignoreNotFound(err) != nil {
			return err
		}
		switch {
		case a == nil:
			a = p.newcomer(row)
		case a.Kind != KindPerson:
			p.fault(row.line, "%s is no person", row.username)
		case !a.DeletedAt.IsZero():
			p.fault(row.line, "%s was deleted, and names are never given twice", row.username)
		}
		if err := p.checkMail(ctx, row, a); err != nil {
			return err
		}
		members[i] = a
	}
	if len(p.faults) > 0 {
		return nil
	}
	for i, row := range rows {
		if err := p.row(ctx, row, members[i]); err != nil {
			return err
		}
	}
	return p.leavers(ctx)
}

// newcomer is an account with the addresses that it will have: others of the list name
// it as their manager.
func (p *planner) newcomer(row importRow) *Account {
	now := p.Now()
	id := NewID(now)
	for p.ids[id] {
		id = NewID(now)
	}
	p.ids[id] = true
	a := &Account{Kind: KindPerson, Username: row.username, Role: RoleMember, Discoverable: true}
	p.address(a, id, now)
	p.fresh[row.username] = a
	return a
}

func (p *planner) checkMail(ctx context.Context, row importRow, a *Account) error {
	mail := strings.ToLower(row.values["email"])
	if mail == "" {
		return nil
	}
	if first := p.mails[mail]; first > 0 {
		p.fault(row.line, "the address %s stands in line %d already", mail, first)
		return nil
	}
	p.mails[mail] = row.line
	had, err := p.tx.AccountByEmail(ctx, mail)
	if err == nil && had.ID != a.ID {
		p.fault(row.line, "the address %s is that of %s", mail, had.Username)
	}
	return ignoreNotFound(err)
}

// row compares one row with the member.
func (p *planner) row(ctx context.Context, row importRow, a *Account) error {
	had, err := p.tx.Person(ctx, a.URI)
	if ignoreNotFound(err) != nil {
		return err
	}
	step := importStep{kind: ImportUpdate, account: a, row: row}
	if had == nil {
		had = &Person{URI: a.URI}
	}
	if p.fresh[row.username] != nil {
		step.kind = ImportCreate
	}
	if had.Imported && had.LeftAt.IsZero() && a.Active() {
		p.plan.kept++
	}
	if err := p.manager(ctx, &step, had); err != nil {
		return err
	}
	after := *had
	step.change(&after)
	after.clean(p.Text.SanitizePlain)
	var details []string
	tell := func(name, before, now string) {
		if before != now {
			details = append(details, fmt.Sprintf("%s: %q -> %q", name, before, now))
		}
	}
	if v, ok := row.values["name"]; ok {
		tell("name", a.DisplayName, p.Text.SanitizePlain(v, p.Limits.NameLength))
	}
	if v, ok := row.values["email"]; ok {
		tell("email", a.Email, v)
	}
	tell("department", had.Department, after.Department)
	tell("title", had.Title, after.Title)
	tell("manager", had.Manager, after.Manager)
	tell("skills", strings.Join(had.Skills, ", "), strings.Join(after.Skills, ", "))
	tell("languages", strings.Join(had.Languages, ", "), strings.Join(after.Languages, ", "))
	tell("location", had.Location, after.Location)
	tell("pronouns", had.Pronouns, after.Pronouns)
	switch {
	case step.kind == ImportCreate:
	case !had.LeftAt.IsZero():
		step.kind = ImportReturn
	case !a.SuspendedAt.IsZero():
		p.note(row, "is suspended by an administrator, and stays so")
	case !a.ClosedAt.IsZero():
		p.note(row, "was closed by an administrator, and stays so")
	}
	if step.kind == ImportUpdate && len(details) == 0 && had.Imported {
		p.plan.Unchanged++
		return nil
	}
	if step.kind == ImportUpdate && !had.Imported {
		details = append(details, "the list keeps this member from now on")
	}
	p.plan.Changes = append(p.plan.Changes, ImportChange{Line: row.line, Kind: step.kind, Username: row.username, Details: details})
	p.plan.steps = append(p.plan.steps, step)
	return nil
}

func (p *planner) note(row importRow, text string) {
	p.plan.Changes = append(p.plan.Changes, ImportChange{Line: row.line, Kind: ImportNote, Username: row.username, Details: []string{text}})
}

// manager finds the account that a row names: of the list, of the members or of the
// directory. One that is not known leaves the manager as it was: a sister may not have
// told its people yet, and the list comes again.
func (p *planner) manager(ctx context.Context, step *importStep, had *Person) error {
	named := step.row.values["manager"]
	step.manager = named
	switch {
	case named == "":
		return nil
	case webAddress(named) != "":
	case p.fresh[strings.ToLower(strings.TrimPrefix(named, "@"))] != nil:
		step.manager = p.fresh[strings.ToLower(strings.TrimPrefix(named, "@"))].URI
	default:
		uri, err := p.personByHandle(ctx, p.tx, named)
		if ignoreNotFound(err) != nil {
			return err
		}
		step.manager = uri
	}
	if step.manager == "" {
		step.keep, step.manager = true, had.Manager
		p.note(step.row, fmt.Sprintf("the manager %.100q is not known here; the entry keeps the one it has", named))
	}
	if step.manager == step.account.URI {
		p.fault(step.row.line, "%s cannot be their own manager", step.row.username)
	}
	return nil
}

// change writes what a row says into an entry.
func (step importStep) change(p *Person) {
	for column, to := range map[string]*string{"department": &p.Department, "title": &p.Title, "location": &p.Location, "pronouns": &p.Pronouns} {
		if v, ok := step.row.values[column]; ok {
			*to = v
		}
	}
	for column, to := range map[string]*[]string{"skills": &p.Skills, "languages": &p.Languages} {
		if v, ok := step.row.values[column]; ok {
			*to = strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(",;|", r) })
		}
	}
	if _, ok := step.row.values["manager"]; ok && !step.keep {
		p.Manager = step.manager
	}
	p.Imported = true
}

// leavers are members whom a list kept and this one does not name.
func (p *planner) leavers(ctx context.Context) error {
	for above := ID(0); ; {
		people, err := p.tx.PeopleOf(ctx, "", above, 500)
		if err != nil || len(people) == 0 {
			slices.SortStableFunc(p.plan.Changes, func(a, b ImportChange) int { return a.Line - b.Line })
			return err
		}
		for _, one := range people {
			above = one.ID
			if !one.Imported || one.Gone || !one.LeftAt.IsZero() || p.lines[one.Username] > 0 {
				continue
			}
			p.plan.kept++
			p.plan.Changes = append(p.plan.Changes, ImportChange{Kind: ImportLeave, Username: one.Username, Details: []string{"is closed; posts stay"}})
			p.plan.steps = append(p.plan.steps, importStep{kind: ImportLeave, account: &Account{ID: one.ID}})
		}
	}
}
