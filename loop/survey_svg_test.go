package loop

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/topology"
)

var rewrite = flag.Bool("rewrite", false, "write the pictures of testdata anew")

func draw(topic string, g Graph) Picture { return Picture{SurveyTopic(topic, g), g} }

// TestSVG compares pictures with those that were looked at.
func TestSVG(t *testing.T) {
	paused := append(chain("eu", "us", "eu"), chain("us", "ap")...)
	paused[2].Paused = true
	refused := chain("a", "b", "c")
	refused[1].Naming = topology.Prefix
	for file, got := range map[string]string{
		"mesh.svg":    SVG(draw("orders", mesh(4))),
		"hub.svg":     SVG(draw("orders", star(5))),
		"several.svg": SVG(draw("a<&>"+strings.Repeat("x", 60), paused), draw("two", refused)),
	} {
		wellFormed(t, got)
		file = "testdata/" + file
		if *rewrite {
			if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", file, diff)
		}
	}
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
