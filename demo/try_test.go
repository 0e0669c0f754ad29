package demo

import (
	"log/slog"
	"os"
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	f, _ := os.Create("/tmp/dm/log")
	defer f.Close()
	err := Run(t.Context(), Options{Out: os.Stdout, Duration: 20 * time.Second, Seed: 1, Log: slog.New(slog.NewTextHandler(f, &slog.HandlerOptions{Level: slog.LevelInfo}))})
	t.Log(err)
}
