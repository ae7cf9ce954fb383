package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Row is a key's line in the table of the README.
func Row(f Field) string {
	value := fmt.Sprint(f.Default)
	if list, ok := f.Default.([]string); ok {
		value = strings.Join(list, ", ")
	}
	if value != "" {
		value = "`" + value + "`"
	}
	return fmt.Sprintf("| `%s` | %s | %s |", f.Key, value, f.Meaning)
}

// Keys lists the struct's keys, so that a test can hold Fields against them.
func Keys() []string { return keysOf(reflect.TypeFor[Config](), "") }

func keysOf(t reflect.Type, prefix string) []string {
	var out []string
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("mapstructure")
		if f.Type.Kind() == reflect.Struct {
			out = append(out, keysOf(f.Type, key+".")...)
			continue
		}
		out = append(out, key)
	}
	return out
}
