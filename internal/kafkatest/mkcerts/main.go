// Command mkcerts writes the certificates of a test cluster into a folder: mkcerts DIR.
package main

import (
	"fmt"
	"os"

	"github.com/meshd/meshd/internal/kafkatest/certs"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: mkcerts DIR")
		os.Exit(2)
	}
	if err := certs.Write(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "mkcerts:", err)
		os.Exit(1)
	}
}
