package gossip

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"

	"github.com/hashicorp/memberlist"
)

// ReadKeyring reads a keyring file: a JSON list of keys in base64, of 16, 24 or 32 bytes. The first encrypts; any decrypts, so that
// keys can be changed node by node.
func ReadKeyring(path string) (*memberlist.Keyring, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the gossip keyring: %w", err)
	}
	var encoded []string
	if err := json.Unmarshal(raw, &encoded); err != nil {
		return nil, fmt.Errorf("reading the gossip keyring %s, a JSON list of keys in base64: %w", path, err)
	}
	if len(encoded) == 0 {
		return nil, fmt.Errorf("the gossip keyring %s has no key", path)
	}
	var keys [][]byte
	for i, text := range encoded {
		key, err := base64.StdEncoding.DecodeString(text)
		if err == nil {
			err = memberlist.ValidateKey(key)
		}
		if err != nil { // the key itself is not repeated: logs are read by many
			return nil, fmt.Errorf("key %d of the gossip keyring %s wants 16, 24 or 32 bytes in base64", i+1, path)
		}
		keys = append(keys, key)
	}
	return memberlist.NewKeyring(keys, keys[0])
}
