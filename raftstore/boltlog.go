package raftstore

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/raft"
	"go.etcd.io/bbolt"
)

var (
	bucketLog    = []byte("log")    // big-endian index -> entry
	bucketStable = []byte("stable") // what raft must not forget: term and vote
)

// boltLog is raft's log store and its stable store.
type boltLog struct{ db *bbolt.DB }

var (
	_ raft.LogStore    = (*boltLog)(nil)
	_ raft.StableStore = (*boltLog)(nil)
)

func openBoltLog(path string) (*boltLog, error) {
	// The directory's lock keeps others out; the time limit is for a file that was opened by hand.
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, NoFreelistSync: true, FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, fmt.Errorf("opening the raft log %s: %w", path, err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{bucketLog, bucketStable} {
			if _, err := tx.CreateBucketIfNotExists(name); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the raft log %s: %w", path, err), db.Close())
	}
	return &boltLog{db: db}, nil
}

func (b *boltLog) close() error { return b.db.Close() }

// FirstIndex returns the index of the first entry, 0 if there is none.
func (b *boltLog) FirstIndex() (uint64, error) {
	return b.end((*bbolt.Cursor).First)
}

// LastIndex returns the index of the last entry, 0 if there is none.
func (b *boltLog) LastIndex() (uint64, error) {
	return b.end((*bbolt.Cursor).Last)
}

func (b *boltLog) end(which func(*bbolt.Cursor) (key, value []byte)) (index uint64, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		if key, _ := which(tx.Bucket(bucketLog).Cursor()); key != nil {
			index = binary.BigEndian.Uint64(key)
		}
		return nil
	})
	return index, err
}

// GetLog reads an entry. It returns raft.ErrLogNotFound if there is none.
func (b *boltLog) GetLog(index uint64, into *raft.Log) error {
	return b.db.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket(bucketLog).Get(key(index))
		if raw == nil {
			return raft.ErrLogNotFound
		}
		entry, err := decodeLog(raw)
		if err != nil {
			return fmt.Errorf("reading raft entry %d: %w", index, err)
		}
		*into = entry
		return nil
	})
}

// StoreLog stores one entry.
func (b *boltLog) StoreLog(l *raft.Log) error { return b.StoreLogs([]*raft.Log{l}) }

// StoreLogs stores entries, all or none. They are on the disk when it returns.
func (b *boltLog) StoreLogs(logs []*raft.Log) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		bucket := tx.Bucket(bucketLog)
		for _, l := range logs {
			if err := bucket.Put(key(l.Index), encodeLog(l)); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRange deletes the entries from first to last, both included.
func (b *boltLog) DeleteRange(first, last uint64) error {
	return b.db.Update(func(tx *bbolt.Tx) error {
		cursor := tx.Bucket(bucketLog).Cursor()
		for k, _ := cursor.Seek(key(first)); k != nil && binary.BigEndian.Uint64(k) <= last; k, _ = cursor.Next() {
			if err := cursor.Delete(); err != nil {
				return err
			}
		}
		return nil
	})
}

// Set stores a value.
func (b *boltLog) Set(k, value []byte) error {
	return b.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketStable).Put(k, value) })
}

// Get returns a value, nil if there is none.
func (b *boltLog) Get(k []byte) (value []byte, err error) {
	err = b.db.View(func(tx *bbolt.Tx) error {
		value = slices.Clone(tx.Bucket(bucketStable).Get(k))
		return nil
	})
	return value, err
}

// SetUint64 stores a number.
func (b *boltLog) SetUint64(k []byte, value uint64) error { return b.Set(k, key(value)) }

// GetUint64 returns a number, 0 if there is none.
func (b *boltLog) GetUint64(k []byte) (uint64, error) {
	raw, err := b.Get(k)
	if err != nil || raw == nil {
		return 0, err
	}
	if len(raw) != 8 {
		return 0, fmt.Errorf("reading %s: %d bytes are no number", k, len(raw))
	}
	return binary.BigEndian.Uint64(raw), nil
}

func key(index uint64) []byte { return binary.BigEndian.AppendUint64(nil, index) }
