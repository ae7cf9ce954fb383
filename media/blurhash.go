package media

import (
	"image"
	"math"
)

// Parts of a blur across and down.
const blurX, blurY = 4, 3

const base83 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"

// blurhash says in 28 characters how a picture looks from afar, for apps to show until
// it is there: its lowest spatial frequencies, as https://github.com/woltapp/blurhash
// describes. Time grows with the pixels, so give it a small one.
func blurhash(img image.Image) string {
	b := img.Bounds()
	w, h := b.Dx(), b.Dy()
	across, down := cosines(blurX, w), cosines(blurY, h)
	var parts [blurX * blurY][3]float64
	for y := range h {
		for x := range w {
			r, g, bl, _ := img.At(b.Min.X+x, b.Min.Y+y).RGBA()
			rgb := [3]float64{linear[r>>8], linear[g>>8], linear[bl>>8]}
			for i := range parts {
				f := across[i%blurX][x] * down[i/blurX][y]
				for c := range rgb {
					parts[i][c] += f * rgb[c]
				}
			}
		}
	}
	largest := 0.0
	for i := range parts {
		for c := range parts[i] {
			parts[i][c] /= float64(w * h)
			if i > 0 {
				parts[i][c] *= 2
				largest = max(largest, math.Abs(parts[i][c]))
			}
		}
	}
	scale := min(max(int(largest*166-0.5), 0), 82)
	out := digits(nil, blurX-1+(blurY-1)*9, 1)
	out = digits(out, scale, 1)
	mean := 0
	for _, v := range parts[0] {
		mean = mean<<8 | gamma(v)
	}
	out = digits(out, mean, 4)
	for _, part := range parts[1:] {
		n := 0
		for _, v := range part {
			v /= float64(scale+1) / 166
			root := math.Copysign(math.Sqrt(math.Abs(v)), v)
			n = n*19 + min(max(int(math.Floor(root*9+9.5)), 0), 18)
		}
		out = digits(out, n, 2)
	}
	return string(out)
}

// cosines of each frequency at each of n places.
func cosines(frequencies, n int) [][]float64 {
	out := make([][]float64, frequencies)
	for f := range out {
		for i := range n {
			out[f] = append(out[f], math.Cos(math.Pi*float64(f*i)/float64(n)))
		}
	}
	return out
}

// digits appends n to base 83, in so many characters.
func digits(out []byte, n, length int) []byte {
	for p := length - 1; p >= 0; p-- {
		d := n
		for range p {
			d /= 83
		}
		out = append(out, base83[d%83])
	}
	return out
}

// linear is the light of each value of sRGB, from 0 to 1.
var linear = func() (out [256]float64) {
	for i := range out {
		if v := float64(i) / 255; v <= 0.04045 {
			out[i] = v / 12.92
		} else {
			out[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return out
}()

// gamma is the value of sRGB for an amount of light.
func gamma(v float64) int {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		return int(v*12.92*255 + 0.5)
	}
	return int((1.055*math.Pow(v, 1/2.4)-0.055)*255 + 0.5)
}
