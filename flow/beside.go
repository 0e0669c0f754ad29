package flow

import "context"

// beside is what a life does that waits for a cluster while its partitions go on, one job at a time. At the destination that are fences, and
// what is read behind them: a writer has one transaction. At the source it is what is asked about logs.
type beside struct {
	busy bool
	done chan func(context.Context) error // what is to be done with what a job found, by the goroutine of the life
	stop context.CancelFunc
}

// aside runs a job beside the loop of the life. What it returns is done by the loop.
func (l *life) aside(ctx context.Context, job func(context.Context) func(context.Context) error) {
	l.beside.run(ctx, job)
}

func (b *beside) run(ctx context.Context, job func(context.Context) func(context.Context) error) {
	ctx, stop := context.WithCancel(ctx)
	*b = beside{busy: true, done: make(chan func(context.Context) error, 1), stop: stop}
	done := b.done
	go func() {
		defer stop()
		done <- job(ctx)
	}()
}

// take does what a job found.
func (b *beside) take(ctx context.Context, then func(context.Context) error) error {
	b.busy = false
	return then(ctx)
}

// halt ends a job, and returns when it has ended. What it found is not done.
func (b *beside) halt() {
	if b.busy {
		b.stop()
		<-b.done
		b.busy = false
	}
}
