package datapath

import (
	"context"
	"log/slog"
	"time"

	"github.com/meshd/meshd/checkpoint"
	"github.com/meshd/meshd/kafka"
	"github.com/meshd/meshd/topology"
)

const beatEvery = time.Second

// beats writes this node's sign of life to every cluster that it may write to, until ctx ends: to each by itself, for one that does
// not answer must not make the node look dead at the others.
func (r *Runner) beats(ctx context.Context, t *topology.Topology, home topology.Alias, kick <-chan struct{}) {
	var c *kafka.Cluster
	for c == nil {
		var err error
		if c, err = r.cfg.Dialer.Dial(t.Clusters[home], checkpoint.TableWriter()...); err == nil {
			break
		}
		if !pause(ctx, kick) { // the files of its secrets can't be read, which is told by who reads there
			return
		}
	}
	defer c.Close()
	made, failing := false, false
	for count := uint64(1); ; count++ {
		err := r.beat(ctx, c, count, &made)
		if (err != nil) != failing && ctx.Err() == nil {
			failing = err != nil
			r.sayBeats(home, err)
		}
		if !pause(ctx, kick) {
			_ = r.beat(context.WithoutCancel(ctx), c, count+1, &made) // tells what was let go of; nobody is left to hear of a failure
			return
		}
	}
}

// sayBeats says that beats fail, or arrive again. That a cluster can't be used at all is told by who reads there.
func (r *Runner) sayBeats(home topology.Alias, err error) {
	level, why := slog.LevelInfo, kafka.Reason{}
	if err != nil {
		level, why = slog.LevelWarn, kafka.Explain(err, kafka.ClusterUnreachable)
	}
	if why.Code == kafka.ClusterUnreachable || why.Code == kafka.LoginRefused {
		level = slog.LevelDebug
	}
	r.cfg.Log.Log(context.Background(), level, "signs of life of this node", slog.String("cluster", string(home)), slog.Bool("written", err == nil),
		slog.String("reason", why.Code), slog.String("text", why.Text), slog.String("hint", why.Hint))
}

// pause waits until the next beat is due; false at the end of ctx.
func pause(ctx context.Context, kick <-chan struct{}) bool {
	t := time.NewTimer(beatEvery)
	defer t.Stop()
	select {
	case <-t.C:
	case <-kick:
	case <-ctx.Done():
		return false
	}
	return true
}

func (r *Runner) beat(ctx context.Context, c *kafka.Cluster, count uint64, made *bool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if !*made {
		_, brokers, err := c.Identity(ctx)
		if err == nil {
			err = checkpoint.EnsureOwned(ctx, c, brokers, 1, checkpoint.NodesTopic)
		}
		if err != nil {
			return err
		}
		*made = true
	}
	home := c.Config.Alias
	turning := r.Manager.Turning()[home]
	b := checkpoint.Beat{Node: r.cfg.Node, At: time.Now().UnixMilli(), Count: count, Released: map[string]int64{}}
	for _, s := range turning.Progress {
		b.Progress = append(b.Progress, checkpoint.ShardKey(s))
	}
	for s, seq := range turning.Released {
		b.Released[checkpoint.ShardKey(s)] = seq
	}
	err := checkpoint.WriteBeat(ctx, c, b)
	if err != nil {
		*made = false
	}
	return err
}
