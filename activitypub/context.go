package activitypub

import (
	"bytes"
	"slices"
	"strings"
)

// term is one of ours or of others' that ActivityStreams does not define. It stands
// inline in the documents that use it, so it needs no fetch (others hold the standard
// contexts built in).
type term struct {
	name, is string
	as       string // how its value is read: "@id", "@list", or "" for as it stands
}

// terms in the order of their names.
func terms() []term {
	return []term{
		{"DirectoryEntry", "parley:DirectoryEntry", ""},
		{"Emoji", "toot:Emoji", ""},
		{"Hashtag", "as:Hashtag", ""},
		{"PropertyValue", "schema:PropertyValue", ""},
		{"QuoteAuthorization", "https://w3id.org/fep/044f#QuoteAuthorization", ""},
		{"QuoteRequest", "https://w3id.org/fep/044f#QuoteRequest", ""},
		{"_misskey_quote", "misskey:_misskey_quote", ""},
		{"alsoKnownAs", "as:alsoKnownAs", "@id"},
		// FEP-521a: none of the standard contexts has it, and undefined it means nothing.
		{"assertionMethod", "https://w3id.org/security#assertionMethod", "@id"},
		{"automaticApproval", "gts:automaticApproval", "@id"},
		{"blurhash", "toot:blurhash", ""},
		{"canQuote", "gts:canQuote", "@id"},
		{"department", "parley:department", ""},
		{"discoverable", "toot:discoverable", ""},
		{"featured", "toot:featured", "@id"},
		{"focalPoint", "toot:focalPoint", "@list"},
		{"indexable", "toot:indexable", ""},
		{"interactingObject", "gts:interactingObject", "@id"},
		{"interactionPolicy", "gts:interactionPolicy", "@id"},
		{"interactionTarget", "gts:interactionTarget", "@id"},
		// What is meant for the actor alone is sealed to it (Controlled Identifiers 2.3.2).
		{"keyAgreement", "https://w3id.org/security#keyAgreementMethod", "@id"},
		{"jobTitle", "schema:jobTitle", ""},
		{"knowsLanguage", "schema:knowsLanguage", ""},
		{"manager", "parley:manager", "@id"},
		{"manuallyApprovesFollowers", "as:manuallyApprovesFollowers", ""},
		{"movedTo", "as:movedTo", "@id"},
		{"postingRestrictedToMods", "lemmy:postingRestrictedToMods", ""},
		{"pronouns", "parley:pronouns", ""},
		{"question", "parley:question", ""},
		{"quote", "https://w3id.org/fep/044f#quote", "@id"},
		{"quoteUri", "http://fedibird.com/ns#quoteUri", ""},
		{"sensitive", "as:sensitive", ""},
		{"skills", "parley:skills", ""},
		{"takenBack", "parley:takenBack", ""},
		{"value", "schema:value", ""},
		{"version", "parley:version", ""},
		{"votersCount", "toot:votersCount", ""},
		{"workLocation", "parley:workLocation", ""},
	}
}

// prefixes of the terms.
func prefixes() []term {
	return []term{
		{"gts", "https://gotosocial.org/ns#", ""},
		{"lemmy", "https://join-lemmy.org/ns#", ""},
		{"misskey", "https://misskey-hub.net/ns#", ""},
		{"parley", "https://parley.social/ns#", ""},
		{"schema", "http://schema.org#", ""},
		{"toot", "http://joinmastodon.org/ns#", ""},
	}
}

// contextOf is the context of a document without one: the standard contexts and what
// else it uses. A word that only stands in a text may be defined too; that does no harm.
func contextOf(document []byte) []byte {
	says := func(word string) bool { return bytes.Contains(document, []byte(`"`+word+`"`)) }
	out := []string{`"https://www.w3.org/ns/activitystreams"`}
	if says("publicKey") {
		out = append(out, `"https://w3id.org/security/v1"`)
	}
	out = append(out, `"https://w3id.org/security/data-integrity/v1"`) // for the proof, which is made afterwards
	if says("Multikey") {
		out = append(out, `"https://w3id.org/security/multikey/v1"`)
	}
	used := slices.DeleteFunc(terms(), func(t term) bool { return !says(t.name) })
	defined := slices.DeleteFunc(prefixes(), func(p term) bool {
		return !slices.ContainsFunc(used, func(t term) bool { return strings.HasPrefix(t.is, p.name+":") })
	})
	var inline []string
	for _, t := range append(defined, used...) {
		inline = append(inline, t.define())
	}
	if len(inline) > 0 {
		out = append(out, "{"+strings.Join(inline, ",")+"}")
	}
	return []byte("[" + strings.Join(out, ",") + "]")
}

func (t term) define() string {
	switch t.as {
	case "@id":
		return `"` + t.name + `":{"@id":"` + t.is + `","@type":"@id"}`
	case "@list":
		return `"` + t.name + `":{"@container":"@list","@id":"` + t.is + `"}`
	}
	return `"` + t.name + `":"` + t.is + `"`
}
