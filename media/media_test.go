package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"testing"
)

func process(t *testing.T, data []byte) (*File, error) {
	t.Helper()
	return NewProcessor().Process(context.Background(), bytes.NewReader(data))
}

func sample(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.Set(x, y, color.RGBA{uint8(x), uint8(y), 100, 255})
		}
	}
	return img
}

// A photo keeps neither its place nor any other metadata, and stands upright.
func TestMetadataIsGone(t *testing.T) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, sample(200, 100), nil); err != nil {
		t.Fatal(err)
	}
	exif := []byte("Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00GPSLatitude 48.1")
	segment := append([]byte{0xFF, 0xE1, 0, 0}, exif...)
	binary.BigEndian.PutUint16(segment[2:], uint16(len(exif)+2))
	photo := append(append([]byte{0xFF, 0xD8}, segment...), b.Bytes()[2:]...)
	f, err := process(t, photo)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(f.Original, []byte("GPS")) || bytes.Contains(f.Original, []byte("Exif")) {
		t.Error("metadata left")
	}
	if f.Width != 100 || f.Height != 200 {
		t.Errorf("not upright: %dx%d", f.Width, f.Height)
	}
	if f.Blurhash == "" || len(f.Small) == 0 {
		t.Error("no thumbnail")
	}
}

func TestLargePicturesAreScaled(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, sample(2400, 1200)); err != nil {
		t.Fatal(err)
	}
	f, err := process(t, b.Bytes())
	if err != nil || f.Width != 1600 || f.Height != 800 || f.SmallWidth != 400 || f.MediaType != "image/jpeg" {
		t.Errorf("%v %+v", err, f)
	}
}

// A few bytes that claim a huge picture are refused before anything is decoded.
func TestBombsAreRefused(t *testing.T) {
	var ihdr bytes.Buffer
	ihdr.WriteString("IHDR")
	_ = binary.Write(&ihdr, binary.BigEndian, []uint32{50_000, 50_000})
	ihdr.Write([]byte{8, 6, 0, 0, 0})
	bomb := bytes.NewBufferString("\x89PNG\r\n\x1a\n")
	_ = binary.Write(bomb, binary.BigEndian, uint32(13))
	bomb.Write(ihdr.Bytes())
	_ = binary.Write(bomb, binary.BigEndian, crc32.ChecksumIEEE(ihdr.Bytes()))
	if _, err := process(t, bomb.Bytes()); !errors.Is(err, ErrLarge) {
		t.Errorf("bomb: %v", err)
	}
	if _, err := process(t, []byte("\x89PNG\r\n\x1a\nrubbish")); !errors.Is(err, ErrBroken) {
		t.Errorf("broken: %v", err)
	}
}

func TestSniffNeverFindsActiveContent(t *testing.T) {
	for in, want := range map[string]string{
		"<html><script>1</script>":                            "application/octet-stream",
		`<?xml version="1.0"?><svg onload="x"/>`:              "application/octet-stream",
		`{"@context":"https://www.w3.org/ns/activitystreams"`: "text/plain",
		"%PDF-1.7\n":   "application/pdf",
		"plain words":  "text/plain",
		"\x7fELF\x02":  "application/octet-stream",
		"PK\x03\x04zz": "application/zip",
	} {
		if got := Sniff([]byte(in)); got != want {
			t.Errorf("%q is %s, want %s", in, got, want)
		}
	}
}

// A face is a few KiB whatever it is made of; what would take much to decode, or is no
// picture, is none.
func TestFacesAreSmall(t *testing.T) {
	noise := image.NewNRGBA(image.Rect(0, 0, 400, 300))
	seed := uint32(1)
	for i := range noise.Pix {
		seed = seed*1664525 + 1013904223
		noise.Pix[i] = uint8(seed >> 24)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, noise); err != nil {
		t.Fatal(err)
	}
	p := NewProcessor()
	face, err := p.Face(context.Background(), b.Bytes())
	if err != nil || len(face) > faceMost {
		t.Fatalf("%d bytes, %v", len(face), err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(face)); err != nil || img.Bounds() != image.Rect(0, 0, 96, 72) {
		t.Errorf("%v, %v", img, err)
	}
	var empty bytes.Buffer
	if err := png.Encode(&empty, image.NewNRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	if face, err = p.Face(context.Background(), empty.Bytes()); err != nil {
		t.Fatal(err)
	}
	if img, err := jpeg.Decode(bytes.NewReader(face)); err != nil || img.Bounds() != image.Rect(0, 0, 8, 8) || color.GrayModel.Convert(img.At(4, 4)).(color.Gray).Y < 250 {
		t.Errorf("what is transparent is not white: %v", err)
	}
	bomb := append([]byte{}, b.Bytes()...)
	binary.BigEndian.PutUint32(bomb[16:], 5000)
	binary.BigEndian.PutUint32(bomb[20:], 5000)
	binary.BigEndian.PutUint32(bomb[29:], crc32.ChecksumIEEE(bomb[12:29]))
	for name, data := range map[string][]byte{"a bomb": bomb, "text": []byte("<svg onload=boom()>"), "half": b.Bytes()[:500], "nothing": nil} {
		if face, err := p.Face(context.Background(), data); err == nil {
			t.Errorf("%s: %d bytes", name, len(face))
		}
	}
}
