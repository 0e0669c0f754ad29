// Package batch reads, patches, rewrites and merges Kafka record batches as bytes, without an object per record.
//
//	fetched bytes ── Next ──> Batch ── CopyReason ──┬─ Copy ────> Patch (61 bytes touched) ───────────┐
//	                                                ├─ Rewrite ─> Reader ─> Builder.Fill ──> Finish ──┼──> produce
//	                 several small ones ────────────┼─ Merge ───> Reader ─> Builder ──> Finish, Check ┤
//	                 a header for each record ──────┼─ Stamp ───> Reader ─> AppendWithHeader, Finish ─┘
//	                                                └─ Skip ────> a control batch: left out
//
// # Format
//
// Record batches (magic 2) and records: Kafka's protocol guide, "Record Batch", and the comments of Kafka's classes
// DefaultRecordBatch and DefaultRecord. Messages of the formats 0 and 1: KIP-31, KIP-32 and Kafka's classes LegacyRecord and
// AbstractLegacyRecordBatch; the Reader yields them as if they were records of a batch, and nothing else here treats them apart.
//
// # What is copied, and what is not
//
// A copied batch keeps its records, compressed or not, to the byte; its header gets offset 0, another producer, and of the
// attributes the codec alone. That is right for a transactional batch, and for one with a delete horizon (KIP-534): there the
// base timestamp is the time at which tombstones may go, and the deltas of the records count from it, so that base plus delta
// is the record's own timestamp as everywhere, and only the bit must not survive. It would be wrong where all records carry the
// broker's append time (the deltas hold another one), where compaction left gaps (a broker refuses the batch) and where an
// attribute is unknown.
//
// # Codecs
//
// Codecs come from klauspost/compress (gzip, snappy, zstd) and pierrec/lz4: the ones below kgo's own compressor. kgo's
// DefaultDecompressor is not used: its bound is 2 GiB and can't be set, and it returns a new slice for each batch, where a
// Reader decodes into the buffer that it has. LZ4's frame is read and written here around pierrec's block functions: there is
// nothing to copy through a stream's buffers, a frame's checksums are skipped (a batch has its CRC; the ones in format 0 were
// wrong, KAFKA-3160), and what is written has the frame of the Java client: independent blocks of 64 KiB.
//
// # Invariants
//
//   - A CRC is never computed anew over bytes that were received with one: Patch derives the new CRC from the old one and the
//     changed header, so that a byte that was damaged in memory is still found by the next one who checks.
//   - No input makes the package panic, or use memory beyond a small multiple of the Reader's limit.
//   - Key, value, headers, record attributes and timestamp of a record are the same after Copy, Rewrite and Merge. After Stamp the
//     headers of one key are gone but for a new one at the end.
//
// It must never own a goroutine or a client, keep a batch beyond the call that it was given to (a Reader: until its next
// Reset), or decide what becomes of a batch: CopyReason tells, the caller acts.
package batch
