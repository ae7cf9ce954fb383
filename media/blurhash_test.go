package media

import (
	"image"
	"image/color"
	"testing"
)

// What the encoders of others say of the same pictures.
func TestBlurhash(t *testing.T) {
	for name, c := range map[string]struct {
		want string
		at   func(x, y int) color.Color
	}{
		"black":    {"L00000fQfQfQfQfQfQfQfQfQfQfQ", func(x, y int) color.Color { return color.Black }},
		"gradient": {"L#HLFb2Y$5SgmGazjtf7gJfjfQfj", func(x, y int) color.Color { return color.RGBA{uint8(x * 4), uint8(y * 5), 90, 255} }},
		"stripes":  {"L|H%uI6qw$Wso3a}jufQfQfQfQfQ", func(x, y int) color.Color { return color.RGBA{uint8(x / 16 * 80), 30, uint8(255 - x/16*60), 255} }},
		"dot": {"L64o2Z|t|Y]R|w|Y]5]6]5]5]6]6", func(x, y int) color.Color {
			if x < 8 && y < 8 {
				return color.RGBA{255, 40, 0, 255}
			}
			return color.RGBA{0, 40, 120, 255}
		}},
	} {
		img := image.NewRGBA(image.Rect(3, 5, 67, 53)) // one that does not begin at 0
		for y := range 48 {
			for x := range 64 {
				img.Set(3+x, 5+y, c.at(x, y))
			}
		}
		if got := blurhash(img); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func BenchmarkBlurhash(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for b.Loop() {
		blurhash(img)
	}
}
