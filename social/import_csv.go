package social

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a list of people.
const (
	importRows   = 100_000
	importBytes  = 64 << 20
	importFaults = 20 // bad rows that are named
)

// importColumns of a list of people; the first is the one that must be there.
var importColumns = []string{"username", "name", "email", "department", "title", "manager", "skills", "languages", "location", "pronouns"}

// importRow is a person of the list.
type importRow struct {
	line     int
	username string
	values   map[string]string // by column, for those that the list has
}

// importFault is what is wrong with a list; whoever runs the import reads it.
func importFault(format string, args ...any) error {
	return &Error{Kind: Invalid, Public: fmt.Sprintf(format, args...)}
}

// readPeople reads a list: UTF-8, with or without a mark at its beginning, separated by
// comma, semicolon or tab. Nothing of it is taken when anything is wrong.
func readPeople(r io.Reader) (rows []importRow, columns []string, err error) {
	in := bufio.NewReaderSize(io.LimitReader(r, importBytes), 64<<10)
	start, _ := in.Peek(3)
	switch {
	case strings.HasPrefix(string(start), "\xef\xbb\xbf"):
		_, _ = in.Discard(3) // they were there
	case strings.HasPrefix(string(start), "\xff\xfe"), strings.HasPrefix(string(start), "\xfe\xff"):
		return nil, nil, importFault("the list is UTF-16; save it as UTF-8 (in Excel: CSV UTF-8)")
	}
	table := csv.NewReader(in)
	if table.Comma, err = separator(in); err != nil {
		return nil, nil, err
	}
	head, err := table.Read()
	if err != nil {
		return nil, nil, unreadableList(err)
	}
	if columns, err = importHead(head); err != nil {
		return nil, nil, err
	}
	var faults []string
	for {
		record, err := table.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, unreadableList(err)
		}
		line, _ := table.FieldPos(0)
		row, fault := readRow(line, columns, record)
		switch {
		case fault != "":
			if faults = append(faults, fmt.Sprintf("line %d: %s", line, fault)); len(faults) == importFaults {
				return nil, nil, badRows(append(faults, "and perhaps more"))
			}
		case len(rows) == importRows:
			return nil, nil, importFault("the list has more than %d people", importRows)
		default:
			rows = append(rows, row)
		}
	}
	if len(faults) > 0 {
		return nil, nil, badRows(faults)
	}
	if len(rows) == 0 {
		return nil, nil, importFault("the list names nobody: with it everybody would have left")
	}
	return rows, columns, nil
}

func badRows(faults []string) error {
	return importFault("nothing was changed, since the list has mistakes:\n%s", strings.Join(faults, "\n"))
}

// separator finds what stands between the columns of the first line.
func separator(in *bufio.Reader) (rune, error) {
	head, err := in.Peek(16 << 10)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, err
	}
	line, _, _ := strings.Cut(string(head), "\n")
	best, most := ',', 0
	for _, c := range ",;\t" {
		if n := strings.Count(line, string(c)); n > most {
			best, most = c, n
		}
	}
	return best, nil
}

func unreadableList(err error) error {
	var at *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return importFault("the list is empty")
	case errors.As(err, &at) && errors.Is(at.Err, csv.ErrFieldCount):
		return importFault("line %d has more or fewer columns than the first line; put texts with separators in double quotes", at.Line)
	case errors.As(err, &at):
		return importFault("line %d cannot be read: %s", at.Line, at.Err)
	}
	return err
}

func importHead(head []string) ([]string, error) {
	var columns []string
	for _, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(importColumns, name) {
			return nil, importFault("the column %.60q is not known; use %s", name, strings.Join(importColumns, ", "))
		}
		if slices.Contains(columns, name) {
			return nil, importFault("the column %s is there twice", name)
		}
		columns = append(columns, name)
	}
	if !slices.Contains(columns, importColumns[0]) {
		return nil, importFault("the list needs the column %s", importColumns[0])
	}
	return columns, nil
}

// readRow checks what can be checked of a row by itself.
func readRow(line int, columns, record []string) (row importRow, fault string) {
	row = importRow{line: line, values: make(map[string]string, len(columns))}
	for i, name := range columns {
		v := strings.TrimSpace(record[i])
		if !utf8.ValidString(v) {
			return row, name + " is not UTF-8; save the list as UTF-8 (in Excel: CSV UTF-8)"
		}
		if n := utf8.RuneCountInString(v); n > importLength(name) {
			return row, fmt.Sprintf("%s has %d characters, %d are possible", name, n, importLength(name))
		}
		row.values[name] = strings.Clone(v)
	}
	row.username = strings.ToLower(row.values["username"])
	delete(row.values, "username")
	switch mail := row.values["email"]; {
	case !usernamePattern.MatchString(row.username):
		return row, fmt.Sprintf("the username %.70q does not fit: use 1 to 64 of a-z, 0-9, _, . and -, not beginning or ending with . or -", row.username)
	case reservedNames[row.username]:
		return row, fmt.Sprintf("the username %s is reserved", row.username)
	case mail != "" && (!strings.Contains(mail, "@") || strings.ContainsAny(mail, " <>,;")):
		return row, fmt.Sprintf("%.100q is no mail address", mail)
	}
	return row, ""
}

func importLength(column string) int {
	switch column {
	case "skills", "languages", "manager":
		return 2000
	case "pronouns":
		return personPronouns
	case "name":
		return DefaultLimits().NameLength
	case "email":
		return 254
	}
	return personText
}
