package activitypub

import (
	"strconv"
	"strings"
	"testing"
)

// The shapes that the examples of Activity Streams 2.0 (Core and Vocabulary, W3C
// 2017) show, with names of our own: each must be read, and say what it says.
func TestActivityStreamsExamples(t *testing.T) {
	const context = `"@context":"https://www.w3.org/ns/activitystreams",`
	for name, one := range map[string]struct{ doc, read string }{
		"core 2.1 a minimal activity":       {`"type":"Create","actor":"https://a.test/u","object":"https://a.test/1"`, "type=Create actor=https://a.test/u object=https://a.test/1"},
		"core 2.1 with more detail":         {`"type":"Add","published":"2015-02-10T15:04:55Z","actor":{"type":"Person","id":"https://a.test/u","name":"Ann","url":"https://a.test/@ann"},"object":{"id":"https://a.test/1","type":"Article","url":"https://a.test/1.html","name":"Why"},"target":{"id":"https://a.test/blog/","type":"OrderedCollection","name":"Blog"}`, "type=Add actor=https://a.test/u object=https://a.test/1 target=https://a.test/blog/ at=2015-02-10T15:04:55Z"},
		"core 2.1.3 context as a list":      {`"@context":["https://www.w3.org/ns/activitystreams",{"css":"http://www.w3.org/ns/oa#styledBy"}],"type":"Note","css":"x"`, "type=Note css=x"},
		"core 2.1.3 context as an object":   {`"@context":{"@vocab":"https://www.w3.org/ns/activitystreams","ext":"https://x.test/","@language":"en"},"type":"Note","content":"b"`, "type=Note content=b"},
		"core 2.2 no context at all":        {`"id":"https://a.test/1","type":"Note"`, "type=Note id=https://a.test/1"},
		"core 2.3 date with offset":         {`"type":"Note","published":"2015-02-10T15:04:55+01:30"`, "type=Note at=2015-02-10T13:34:55Z"},
		"core 2.3 date without seconds":     {`"type":"Note","published":"2015-02-10T15:04Z"`, "type=Note at=2015-02-10T15:04:00Z"},
		"core 4.1 alias of JSON-LD":         {`"@id":"https://a.test/1","@type":"Note"`, "type=Note id=https://a.test/1"},
		"core 4.1 several types":            {`"type":["https://x.test/Meeting","Event"],"name":"Meeting"`, "type=Event name=Meeting"},
		"core 4.1 a type of somebody else":  {`"type":"https://x.test/Meeting","id":"https://a.test/1"`, "type=https://x.test/Meeting id=https://a.test/1"},
		"core 4.1.1 text only":              {`"id":"https://a.test/1","name":"A text"`, "id=https://a.test/1 name=A+text"},
		"core 4.2 a link":                   {`"type":"Link","href":"https://x.test/a","hreflang":"en","mediaType":"text/html","name":"An article","rel":["canonical","preview"]`, "type=Link href=https://x.test/a name=An+article rel=canonical,preview"},
		"core 4.2 address as a string":      {`"type":"Application","id":"https://a.test/app","image":"https://a.test/a.png"`, "type=Application image=https://a.test/a.png"},
		"core 4.2 address as a link":        {`"type":"Application","id":"https://a.test/app","image":{"type":"Link","href":"https://a.test/a.png","mediaType":"image/png"}`, "type=Application image=https://a.test/a.png"},
		"core 4.2 addresses mixed":          {`"type":"Application","image":["https://a.test/a.png",{"type":"Link","href":"https://a.test/b.jpg"},{"id":"https://a.test/c","type":"Image"}]`, "type=Application image=https://a.test/a.png,https://a.test/b.jpg,https://a.test/c"},
		"core 4.3 several actors":           {`"type":"Like","actor":["https://a.test/u",{"type":"Person","id":"https://a.test/v"}],"object":"https://a.test/1"`, "type=Like actor=https://a.test/u,https://a.test/v object=https://a.test/1"},
		"core 4.4 intransitive":             {`"type":"Travel","actor":{"type":"Person","name":"Ann"},"target":{"type":"Place","name":"Work"}`, "type=Travel"},
		"core 4.5 an actor with extensions": {`"@context":["https://www.w3.org/ns/activitystreams",{"vcard":"http://www.w3.org/2006/vcard/ns#"}],"type":["Person","vcard:Individual"],"id":"https://a.test/u","vcard:given-name":"Ann"`, "type=Person id=https://a.test/u vcard:given-name=Ann"},
		"core 4.6 a collection":             {`"type":"Collection","totalItems":2,"items":["https://a.test/1","https://a.test/2"]`, "type=Collection items=https://a.test/1,https://a.test/2 total=2"},
		"core 4.6 an ordered one":           {`"type":"OrderedCollection","totalItems":1,"orderedItems":[{"type":"Note","id":"https://a.test/1"}]`, "type=OrderedCollection orderedItems=https://a.test/1 total=1"},
		"core 4.7 a page":                   {`"type":"CollectionPage","id":"https://a.test/c?page=2","partOf":"https://a.test/c","next":"https://a.test/c?page=3","prev":{"type":"Link","href":"https://a.test/c?page=1"},"items":[]`, "type=CollectionPage next=https://a.test/c?page=3 prev=https://a.test/c?page=1 partOf=https://a.test/c"},
		"core 4.7 first as a link":          {`"type":"Collection","id":"https://a.test/c","totalItems":10,"current":{"type":"Link","name":"Newest","href":"https://a.test/c"},"first":{"type":"Link","href":"https://a.test/c?page=1"}`, "type=Collection first=https://a.test/c?page=1 total=10"},
		"core 4.8 natural language":         {`"type":"Note","contentMap":{"en":"A text","es":"Un texto","zh-Hans":"一"}`, "type=Note content=A+text language=en"},
		"core 4.8 text and its language":    {`"type":"Note","content":"Un texto","contentMap":{"en":"A text","es":"Un texto"}`, "type=Note content=Un+texto language=es"},
		"core 4.8 language unknown":         {`"type":"Note","contentMap":{"und":"?"}`, "type=Note content=? language=und"},
		"core 4.9 mark-up":                  {`"type":"Note","content":"<b>x</b>","mediaType":"text/html"`, "type=Note content=<b>x</b>"},
		"core 5.1 many audiences":           {`"type":"Note","to":"https://a.test/u","cc":["https://a.test/v",{"type":"Person","id":"https://a.test/w"}],"audience":{"id":"https://a.test/g","type":"Group"}`, "type=Note addressed=https://a.test/u,https://a.test/v,https://a.test/w,https://a.test/g"},
		"vocabulary accept of an offer":     {`"type":"Accept","actor":"https://a.test/u","object":{"type":"Offer","id":"https://a.test/o","actor":"https://a.test/v","object":{"type":"Event","name":"Party"}}`, "type=Accept object=https://a.test/o"},
		"vocabulary accept without ids":     {`"type":"Accept","actor":{"type":"Person","name":"Ann"},"object":{"type":"Person","name":"Bob"},"target":{"type":"Group","name":"Club"}`, "type=Accept"},
		"vocabulary announce of an arrival": {`"type":"Announce","actor":{"type":"Person","id":"https://a.test/u"},"object":{"type":"Arrive","actor":"https://a.test/u","location":{"type":"Place","name":"Work"}}`, "type=Announce actor=https://a.test/u"},
		"vocabulary block":                  {`"type":"Block","actor":"https://a.test/u","object":"https://b.test/v"`, "type=Block object=https://b.test/v"},
		"vocabulary flag":                   {`"type":"Flag","actor":"https://a.test/u","object":{"type":"Note","content":"rude","id":"https://b.test/1"}`, "type=Flag object=https://b.test/1"},
		"vocabulary move between":           {`"type":"Move","actor":"https://a.test/u","object":"https://a.test/p","origin":{"type":"Collection","id":"https://a.test/l"},"target":{"type":"Collection","id":"https://a.test/m"}`, "type=Move object=https://a.test/p target=https://a.test/m"},
		"vocabulary undo":                   {`"type":"Undo","actor":"https://a.test/u","object":{"type":"Offer","id":"https://a.test/o"}`, "type=Undo object=https://a.test/o"},
		"vocabulary question, one of":       {`"type":"Question","name":"What?","oneOf":[{"type":"Note","name":"A"},{"type":"Note","name":"B"}]`, "type=Question name=What? oneOf=A,B"},
		"vocabulary question, any of":       {`"type":"Question","name":"What?","anyOf":{"type":"Note","name":"A"},"closed":"2016-05-10T00:00:00Z"`, "type=Question anyOf=A"},
		"vocabulary tombstone":              {`"type":"Tombstone","id":"https://a.test/1","formerType":"Note","deleted":"2016-03-17T00:00:00Z"`, "type=Tombstone id=https://a.test/1"},
		"vocabulary mention":                {`"type":"Note","tag":[{"type":"Mention","href":"https://a.test/u","name":"@ann"}]`, "type=Note tag=Mention:@ann"},
		"vocabulary tag as an address":      {`"type":"Image","tag":{"type":"Person","id":"https://a.test/u","name":"Ann"},"url":"https://a.test/i.jpg"`, "type=Image tag=Person:Ann url=https://a.test/i.jpg"},
		"vocabulary attachment":             {`"type":"Note","attachment":[{"type":"Image","content":"a ship","url":"https://a.test/i.jpg"}]`, "type=Note"},
		"vocabulary several addresses":      {`"type":"Video","name":"A film","url":[{"type":"Link","href":"https://a.test/f.mkv","mediaType":"video/x-matroska"},{"type":"Link","href":"https://a.test/f.mp4","mediaType":"video/mp4"}],"duration":"PT5M"`, "type=Video name=A+film url=https://a.test/f.mkv,https://a.test/f.mp4"},
		"vocabulary authors":                {`"type":"Image","attributedTo":["https://a.test/u",{"type":"Person","id":"https://a.test/v"}]`, "type=Image attributedTo=https://a.test/u,https://a.test/v"},
		"vocabulary reply":                  {`"type":"Note","content":"b","inReplyTo":{"type":"Note","id":"https://a.test/1","content":"a"}`, "type=Note content=b inReplyTo=https://a.test/1"},
		"vocabulary replies":                {`"type":"Note","id":"https://a.test/1","replies":{"type":"Collection","totalItems":1,"items":[{"type":"Note","inReplyTo":"https://a.test/1"}]}`, "type=Note id=https://a.test/1"},
		"vocabulary event":                  {`"type":"Event","name":"Party","startTime":"2014-12-31T23:00:00-08:00","endTime":"2015-01-01T06:00:00-08:00"`, "type=Event name=Party start=2015-01-01T07:00:00Z"},
		"vocabulary place":                  {`"type":"Place","name":"Here","latitude":36.75,"longitude":119.7667,"radius":15,"units":"miles"`, "type=Place name=Here"},
		"vocabulary profile":                {`"type":"Profile","summary":"x","describes":{"type":"Person","name":"Ann"}`, "type=Profile"},
		"vocabulary relationship":           {`"type":"Relationship","subject":{"type":"Person","name":"Ann"},"relationship":"http://purl.org/vocab/relationship/acquaintanceOf","object":{"type":"Person","id":"https://a.test/v"}`, "type=Relationship object=https://a.test/v"},
		"vocabulary preview":                {`"type":"Video","name":"A film","preview":{"type":"Video","name":"Trailer","url":{"href":"https://a.test/t.mkv"}}`, "type=Video name=A+film"},
	} {
		doc := one.doc
		if !strings.HasPrefix(doc, `"@context"`) && !strings.Contains(name, "no context") {
			doc = context + doc
		}
		o, err := Parse([]byte("{" + doc + "}"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, want := range strings.Fields(one.read) {
			key, value, _ := strings.Cut(want, "=")
			if got := strings.ReplaceAll(property(o, key), " ", "+"); got != value {
				t.Errorf("%s: %s is %q, want %q", name, key, got, value)
			}
		}
		assertSameAgain(t, o)
	}
}

// property reads one by its accessor.
func property(o Object, key string) string {
	var out []string
	switch key {
	case "type":
		return o.Type()
	case "id":
		return o.ID()
	case "at":
		return o.Time("published").Format("2006-01-02T15:04:05Z")
	case "start":
		return o.Time("startTime").Format("2006-01-02T15:04:05Z")
	case "total":
		return strconv.Itoa(o.Int("totalItems"))
	case "content":
		text, _ := o.Language(key)
		return text
	case "language":
		_, language := o.Language("content")
		return language
	case "addressed":
		out = o.Addressed()
	case "rel":
		out = o.Strings(key)
	case "oneOf", "anyOf", "tag":
		for _, e := range o.Objects(key) {
			if key == "tag" {
				out = append(out, e.Type()+":"+e.Text("name"))
				continue
			}
			out = append(out, e.Text("name"))
		}
	case "name", "css", "href", "vcard:given-name":
		return o.Text(key)
	default:
		out = o.Refs(key)
	}
	return strings.Join(out, ",")
}
