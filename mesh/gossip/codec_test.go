package gossip

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshd/meshd/topology"
)

func TestMetaFits(t *testing.T) {
	m := Meta{Datacenter: "us-east", Topology: topology.Stamp{Version: 1 << 40, Hash: strings.Repeat("ab", 32)}, Raft: "meshd-0.us.example.com:7947", Leaving: true}
	raw := m.encode(512)
	if got, err := decodeMeta(raw); err != nil || got != m {
		t.Errorf("%+v %v", got, err)
	}
	m.Raft, m.Admin = strings.Repeat("r", 250), strings.Repeat("a", 250)
	if raw = m.encode(512); len(raw) > 512 {
		t.Fatalf("%d bytes", len(raw))
	}
	if got, err := decodeMeta(raw); err != nil || got.Raft != "" || got.Topology != m.Topology || !got.Leaving {
		t.Errorf("without addresses: %+v %v", got, err)
	}
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add(Meta{Datacenter: "us", Raft: "a:1"}.encode(512))
	f.Add([]byte(`{"v":2}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := decodeMeta(raw)
		if err != nil {
			return
		}
		if got, err := decodeMeta(m.encode(1 << 20)); err != nil || got != m {
			t.Fatalf("%+v became %+v: %v", m, got, err)
		}
	})
}

func FuzzDecodeState(f *testing.F) {
	f.Add(encodeState("us-1", []byte("topology")))
	f.Add([]byte{format, 200, 1})
	f.Fuzz(func(t *testing.T, raw []byte) {
		from, encoded, err := decodeState(raw)
		if err != nil {
			return
		}
		again, content, err := decodeState(encodeState(from, encoded))
		if err != nil || again != from || string(content) != string(encoded) {
			t.Fatalf("%q %q became %q %q: %v", from, encoded, again, content, err)
		}
	})
}

func FuzzDecodeLoad(f *testing.F) {
	raw, err := encodeLoad("us-1", map[topology.Shard]float64{{Origin: "a", Destination: "b", Number: 1}: 2.5})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		node, load, err := decodeLoad(raw)
		if err != nil {
			return
		}
		if raw, err = encodeLoad(node, load); err != nil {
			t.Fatal(err)
		}
		again, same, err := decodeLoad(raw)
		if diff := cmp.Diff(load, same); err != nil || again != node || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}

func TestReadKeyring(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(make([]byte, 32))
	tests := []struct {
		name, content, says string
	}{
		{"two keys", `["` + good + `","` + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef")) + `"]`, ""},
		{"not JSON", `keys:`, "JSON list"},
		{"no key", `[]`, "has no key"},
		{"not base64", `["` + good + `","???"]`, "key 2"},
		{"a key of 5 bytes", `["AAAAAAA="]`, "16, 24 or 32 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keyring.json")
			if err := os.WriteFile(path, []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			ring, err := ReadKeyring(path)
			if tt.says == "" {
				if err != nil || len(ring.GetKeys()) != 2 || len(ring.GetPrimaryKey()) != 32 {
					t.Errorf("%v %v", ring, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not say %q", err, tt.says)
			}
			var keys []string
			if json.Unmarshal([]byte(tt.content), &keys) == nil {
				for _, k := range keys {
					if strings.Contains(err.Error(), k) {
						t.Errorf("%v repeats a key", err)
					}
				}
			}
		})
	}
	if _, err := ReadKeyring(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
}
