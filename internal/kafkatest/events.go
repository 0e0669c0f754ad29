package kafkatest

import (
	"fmt"
	"math/rand/v2"
)

// Events are n values of size bytes that look like a service's events, and compress like them: to a bit more than a third by LZ4. They are the
// same each time.
func Events(n, size int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	words := []string{"alpha", "beta", "gamma", "delta", "order", "payment", "customer", "shipped", "accepted", "refused"}
	word := func() string { return words[rng.IntN(len(words))] }
	out := make([][]byte, n)
	for i := range out {
		value := make([]byte, 0, size+128)
		for len(value) < size {
			value = fmt.Appendf(value, `{"id":%d,"%s":"%s-%d","status":"%s","price":%d.%02d,"note":"%s %s"},`,
				rng.Uint32(), word(), word(), rng.IntN(10_000), word(), rng.IntN(500), rng.IntN(100), word(), word())
		}
		out[i] = value[:size]
	}
	return out
}
