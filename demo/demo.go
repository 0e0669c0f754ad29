package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Options say how the demo runs.
type Options struct {
	Out      io.Writer
	Live     bool          // Out is a terminal that knows ANSI escapes
	Duration time.Duration // that it takes at least; what is waited for comes on top
	Seed     uint64        // the same seed writes the same records
	Naming   Naming        // "" is Prefix
	Log      *slog.Logger  // of the nodes; nil: nowhere
}

// ErrWrong says that the verdict found something wrong.
var ErrWrong = errors.New("the verdict found something wrong")

// Run shows meshd, and ends with the verdict. The error is ErrWrong if that is not what was promised, context.Cause if ctx ended.
func Run(ctx context.Context, o Options) error {
	err := run(ctx, o)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stopped before the verdict: %w", context.Cause(ctx))
	}
	return err
}

func run(ctx context.Context, o Options) (err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s, err := newStory(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.world.close()) }()
	v, err := s.run(ctx)
	if err != nil {
		return err
	}
	return s.conclude(v)
}

// conclude prints the verdict and says whether it is what was promised.
func (s *story) conclude(v Verdict) error {
	s.report(v)
	if !v.OK() {
		return ErrWrong
	}
	return s.err
}

func newStory(ctx context.Context, o Options) (*story, error) {
	if o.Naming == "" {
		o.Naming = Prefix
	}
	w, err := newWorld(ctx, o.Naming, o.Seed, o.Log)
	if err != nil {
		return nil, err
	}
	return &story{world: w, screen: newScreen(o.Out, o.Live, o.Duration, o.Naming), duration: o.Duration}, nil
}

// run tells the story and counts.
func (s *story) run(ctx context.Context) (Verdict, error) {
	s.open()
	defer s.screen.close()
	stop := s.watch()
	err := s.tell(ctx)
	stop()
	if err != nil {
		return Verdict{}, fmt.Errorf("telling the story: %w", err)
	}
	return s.verdict(ctx)
}

// watch shows the state at intervals until it is told to stop.
func (s *story) watch() (stop func()) {
	every := time.Second
	if s.live {
		every /= 4
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		t := time.NewTicker(every)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				s.show(s.state())
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}
