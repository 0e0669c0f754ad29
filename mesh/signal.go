package mesh

// signal is a trigger with one place: many before it is taken are one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) set() {
	select {
	case s <- struct{}{}:
	default: // it is set
	}
}
