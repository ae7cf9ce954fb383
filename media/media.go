// Package media makes uploaded pictures safe and small: decoded within limits,
// turned upright, stripped of metadata, scaled; other files are recognised by
// their bytes. It knows neither accounts nor storage.
package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

const (
	// MaxPixels of a picture, before decoding: 160 MB at 4 bytes a pixel.
	MaxPixels   = 40_000_000
	maxSide     = 1600
	smallSide   = 400
	jpegQuality = 85
)

// File is what an upload became.
type File struct {
	Image                   bool
	MediaType, Extension    string
	Original, Small         []byte
	SmallExtension          string
	Width, Height           int
	SmallWidth, SmallHeight int
	Blurhash                string
}

// Processor bounds how many pictures are decoded at once: one for each core.
type Processor struct{ places chan struct{} }

// NewProcessor makes a Processor.
func NewProcessor() *Processor {
	return &Processor{places: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// Errors for people.
var (
	ErrKind   = errors.New("this kind of file is not accepted; use JPEG, PNG, GIF or WebP pictures, PDF, office documents, text or zip")
	ErrLarge  = fmt.Errorf("the picture has more than %d million pixels; make it smaller", MaxPixels/1_000_000)
	ErrBroken = errors.New("the picture cannot be read; save it again as JPEG or PNG")
)

// Process reads an upload, whose size the caller has bounded.
func (p *Processor) Process(ctx context.Context, r io.Reader) (*File, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	kind := Sniff(data)
	if !strings.HasPrefix(kind, "image/") {
		ext, ok := documents[kind]
		if !ok {
			return nil, ErrKind
		}
		return &File{MediaType: kind, Extension: ext, Original: data}, nil
	}
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return picture(data, kind)
}

// documents are kept as they are and only ever offered for download.
var documents = map[string]string{
	"application/pdf": ".pdf", "application/zip": ".zip", "text/plain": ".txt",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   ".docx",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         ".xlsx",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
	"application/vnd.oasis.opendocument.text":                                   ".odt",
	"application/vnd.oasis.opendocument.spreadsheet":                            ".ods",
	"application/vnd.oasis.opendocument.presentation":                           ".odp",
}

// Extension is that of a media type that is accepted; false for any other.
func Extension(kind string) (ext string, ok bool) {
	switch kind {
	case "image/jpeg":
		return ".jpg", true
	case "image/png", "image/gif", "image/webp":
		return "." + strings.TrimPrefix(kind, "image/"), true
	}
	ext, ok = documents[kind]
	return ext, ok
}

// Types lists the media types that are accepted, pictures first.
func Types() []string {
	return append([]string{"image/jpeg", "image/png", "image/gif", "image/webp"}, slices.Sorted(maps.Keys(documents))...)
}

// Sniff tells a file's type by its bytes, never by its name. HTML, SVG, JSON and
// scripts are text/plain or unknown, so that nothing uploaded is ever active.
func Sniff(data []byte) string {
	head := data[:min(len(data), 4096)]
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		return zipKind(data)
	}
	kind, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch kind {
	case "image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf":
		return kind
	case "text/plain":
		return kind
	}
	return "application/octet-stream"
}

func zipKind(data []byte) string {
	head := data[:min(len(data), 64<<10)]
	for kind := range documents {
		if strings.HasPrefix(kind, "application/vnd.oasis") && bytes.Contains(head[:min(len(head), 200)], []byte(kind)) {
			return kind
		}
	}
	tail := data[max(0, len(data)-64<<10):]
	for part, kind := range map[string]string{"word/": "wordprocessingml.document", "xl/": "spreadsheetml.sheet", "ppt/": "presentationml.presentation"} {
		if bytes.Contains(tail, []byte(part)) && bytes.Contains(data, []byte("[Content_Types].xml")) {
			return "application/vnd.openxmlformats-officedocument." + kind
		}
	}
	return "application/zip"
}

const (
	faceSide   = 96
	facePixels = 16_000_000 // of the picture that a face is made of
	faceMost   = 6 << 10    // bytes
)

// Face makes a small JPEG of a picture that another server sent; what is transparent in it
// becomes white. Other files are ErrKind.
func (p *Processor) Face(ctx context.Context, data []byte) (face []byte, err error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() {
		if p := recover(); p != nil {
			face, err = nil, ErrBroken // as for pictures
		}
	}()
	kind := Sniff(data)
	config, decode, err := decoder(data, kind)
	if err != nil {
		return nil, err
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > facePixels/config.Height {
		return nil, ErrLarge
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, ErrBroken
	}
	img = upright(scale(img, faceSide), orientation(data, kind))
	flat := image.NewRGBA(image.Rect(0, 0, img.Bounds().Dx(), img.Bounds().Dy()))
	draw.Draw(flat, flat.Bounds(), image.White, image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), img, img.Bounds().Min, draw.Over)
	for _, quality := range []int{jpegQuality, 60, 40, 20} {
		var b bytes.Buffer
		if err := jpeg.Encode(&b, flat, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		if b.Len() <= faceMost {
			return b.Bytes(), nil
		}
	}
	return nil, ErrLarge
}

func picture(data []byte, kind string) (f *File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, ErrBroken // a decoder that panics is a broken picture to us
		}
	}()
	config, decode, err := decoder(data, kind)
	if err != nil {
		return nil, err
	}
	if config.Width <= 0 || config.Height <= 0 || config.Width > MaxPixels/config.Height {
		return nil, ErrLarge
	}
	img, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, ErrBroken
	}
	img = upright(img, orientation(data, kind))
	f = &File{Image: true}
	if f.Original, f.MediaType, f.Extension, f.Width, f.Height, err = encode(img, maxSide); err != nil {
		return nil, err
	}
	small := scale(img, smallSide)
	if f.Small, _, f.SmallExtension, f.SmallWidth, f.SmallHeight, err = encode(small, smallSide); err != nil {
		return nil, err
	}
	f.Blurhash = blurhash(scale(small, 64))
	return f, nil
}

func decoder(data []byte, kind string) (image.Config, func(io.Reader) (image.Image, error), error) {
	read := map[string]struct {
		config func(io.Reader) (image.Config, error)
		decode func(io.Reader) (image.Image, error)
	}{
		"image/jpeg": {jpeg.DecodeConfig, jpeg.Decode}, "image/png": {png.DecodeConfig, png.Decode},
		"image/gif": {gif.DecodeConfig, gif.Decode}, "image/webp": {webp.DecodeConfig, webp.Decode},
	}[kind]
	if read.config == nil {
		return image.Config{}, nil, ErrKind
	}
	config, err := read.config(bytes.NewReader(data))
	if err != nil {
		err = ErrBroken
	}
	return config, read.decode, err
}

// encode writes JPEG, or PNG where something is transparent; neither writer adds
// metadata.
func encode(img image.Image, side int) (data []byte, kind, ext string, w, h int, err error) {
	img = scale(img, side)
	var b bytes.Buffer
	if opaque(img) {
		kind, ext = "image/jpeg", ".jpg"
		err = jpeg.Encode(&b, img, &jpeg.Options{Quality: jpegQuality})
	} else {
		kind, ext = "image/png", ".png"
		err = png.Encode(&b, img)
	}
	return b.Bytes(), kind, ext, img.Bounds().Dx(), img.Bounds().Dy(), err
}

func opaque(img image.Image) bool {
	o, ok := img.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

// scale shrinks to at most side pixels on the longer side, never enlarges.
func scale(img image.Image, side int) image.Image {
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	if w <= side && h <= side {
		return img
	}
	if w > h {
		w, h = side, max(1, h*side/w)
	} else {
		w, h = max(1, w*side/h), side
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.BiLinear.Scale(out, out.Bounds(), img, img.Bounds(), draw.Src, nil)
	return out
}

// orientation reads the EXIF tag 0x0112 of a JPEG; 1 is upright.
func orientation(data []byte, kind string) int {
	if kind != "image/jpeg" {
		return 1
	}
	for i := 2; i+4 <= len(data) && data[i] == 0xFF; {
		marker, size := data[i+1], int(binary.BigEndian.Uint16(data[i+2:]))
		if marker == 0xE1 && i+2+size <= len(data) && size > 16 && bytes.HasPrefix(data[i+4:], []byte("Exif\x00\x00")) {
			return exifOrientation(data[i+10 : i+2+size])
		}
		if marker == 0xDA || size < 2 {
			break
		}
		i += 2 + size
	}
	return 1
}

func exifOrientation(t []byte) int {
	var order binary.ByteOrder = binary.LittleEndian
	if len(t) < 8 {
		return 1
	}
	if t[0] == 'M' {
		order = binary.BigEndian
	}
	at := int(order.Uint32(t[4:]))
	if at < 8 || at+2 > len(t) {
		return 1
	}
	for i, n := 0, int(order.Uint16(t[at:])); i < n && at+2+12*(i+1) <= len(t); i++ {
		e := t[at+2+12*i:]
		if order.Uint16(e) == 0x0112 {
			if v := int(order.Uint16(e[8:])); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 1
}

// upright applies an EXIF orientation.
func upright(img image.Image, o int) image.Image {
	if o == 1 {
		return img
	}
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	if o >= 5 {
		w, h = h, w
	}
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			sx, sy := source(o, x, y, w, h)
			out.Set(x, y, color.RGBAModel.Convert(img.At(b.Min.X+sx, b.Min.Y+sy)))
		}
	}
	return out
}

// source says which pixel of the stored picture belongs at x, y of the upright one.
func source(o, x, y, w, h int) (int, int) {
	switch o {
	case 2:
		return w - 1 - x, y
	case 3:
		return w - 1 - x, h - 1 - y
	case 4:
		return x, h - 1 - y
	case 5:
		return y, x
	case 6:
		return y, w - 1 - x
	case 7:
		return h - 1 - y, w - 1 - x
	case 8:
		return h - 1 - y, x
	}
	return x, y
}
