package web

import "parley/social"

const previewText = 200 // characters

// preview is what other programs show of a page's address (OpenGraph).
type preview struct{ Kind, Address, Title, Text, Image string }

// preview of a local post; nil unless everybody may see it, whoever asks: the page is
// the same for all in its head.
func (w *Web) preview(p *page, id social.ID) (*preview, error) {
	v, err := w.Social.Post(p.ctx(), social.Nobody(w.Links.Home()), id)
	if social.KindOf(err) == social.NotFound {
		return nil, nil
	}
	if err != nil || !v.Post.Local {
		return nil, err
	}
	out := &preview{Kind: "article", Address: v.Post.URL, Title: firstOf(v.Post.Title, v.Author.Name()), Text: v.Post.Summary}
	if v.Post.Summary != "" || v.Post.Sensitive { // what lies under a lid stays there
		return out, nil
	}
	out.Text = clipped(w.Social.Text.ToPlain(v.Post.Content), previewText)
	for _, a := range v.Post.Attachments {
		if a.MediaID != 0 && a.Kind == "image" {
			out.Image = w.Links.Media(a.MediaID, true)
			break
		}
	}
	return out, nil
}

// previewOf a member's profile; nil unless everybody may see it.
func (w *Web) previewOf(p *page, id social.ID) (*preview, error) {
	a, err := w.Social.Account(p.ctx(), social.Nobody(w.Links.Home()), id)
	if social.KindOf(err) == social.NotFound {
		return nil, nil
	}
	if err != nil || !a.Local() {
		return nil, err
	}
	out := &preview{Kind: "profile", Address: a.URL, Title: a.Name(), Text: clipped(w.Social.Text.ToPlain(a.Note), previewText)}
	if a.AvatarID != 0 {
		out.Image = w.Links.Media(a.AvatarID, true)
	}
	return out, nil
}
