package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// profile keeps what a node uses its CPU and its memory for, a file every two seconds, until the node answers no more. go tool pprof
// adds up the files that it is given.
func profile(address, file string) {
	for n, misses := 0, 0; misses < 200; {
		err := keep("http://"+address+"/debug/pprof/profile?seconds=2", fmt.Sprintf("%s-cpu-%d.pb.gz", file, n))
		if err == nil {
			err = keep("http://"+address+"/debug/pprof/heap", fmt.Sprintf("%s-heap-%d.pb.gz", file, n))
		}
		switch {
		case err == nil:
			n++
		case n > 0:
			return
		default: // it does not listen yet
			misses++
			<-time.After(20 * time.Millisecond)
		}
	}
}

func keep(url, file string) error {
	response, err := http.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	return os.WriteFile(file, body, 0o644)
}
