//go:build race

package instancetest

const raceDetector = true
