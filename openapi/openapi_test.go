package openapi_test

import (
	"encoding/json"
	"testing"
	"time"

	"parley/openapi"
)

type inner struct {
	Name string `json:"name" enum:"a,b"`
}

type part struct {
	At *time.Time `json:"at"`
}

type treeShape struct {
	part
	Count  int            `json:"count"`
	Maybe  *string        `json:"maybe,omitempty"`
	Date   *string        `json:"date" format:"date"`
	Below  *treeShape     `json:"below"`
	Always *inner         `json:"always" null:"never"`
	Many   []*inner       `json:"many"`
	By     map[string]int `json:"by"`
}

// A struct is described as encoding/json writes it.
func TestSchema(t *testing.T) {
	d := openapi.New("test", "1", "https://a.test")
	if got := text(t, d.Schema([]treeShape{})); got != `{"type":"array","items":{"$ref":"#/components/schemas/Tree"}}` {
		t.Error(got)
	}
	want := `{"type":"object","properties":{` +
		`"always":{"$ref":"#/components/schemas/Inner"},` +
		`"at":{"type":["string","null"],"format":"date-time"},` +
		`"below":{"anyOf":[{"$ref":"#/components/schemas/Tree"},{"type":"null"}]},` +
		`"by":{"type":"object","additionalProperties":{"type":"integer"}},` +
		`"count":{"type":"integer"},` +
		`"date":{"type":["string","null"],"format":"date"},` +
		`"many":{"type":"array","items":{"$ref":"#/components/schemas/Inner"}},` +
		`"maybe":{"type":"string"}},` +
		`"required":["at","count","date","below","always","many","by"]}`
	if got := text(t, d.Components.Schemas["Tree"]); got != want {
		t.Errorf("\n%s\n%s", got, want)
	}
	if got := text(t, d.Components.Schemas["Inner"]); got != `{"type":"object","properties":{"name":{"type":"string","enum":["a","b"]}},"required":["name"]}` {
		t.Error(got)
	}
}

// Two types of one name, and what says nothing about its JSON, are mistakes of ours.
func TestSchemaRefuses(t *testing.T) {
	type tree struct{}
	for name, describe := range map[string]func(*openapi.Document){
		"one name for two": func(d *openapi.Document) { d.Schema(treeShape{}); d.Schema(tree{}) },
		"anything":         func(d *openapi.Document) { d.Schema([]any{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was described", name)
				}
			}()
			describe(openapi.New("test", "1", "https://a.test"))
		}()
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
