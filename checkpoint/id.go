package checkpoint

import (
	"crypto/rand"
	"encoding/hex"
)

// NewID is a word that nobody else has: for births and claims.
func NewID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
