package batch

import "hash/crc32"

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum is what the CRC of a batch of magic 2 should be.
func checksum(b Batch) uint32 { return crc32.Checksum(b[attributesAt:], castagnoli) }

// appendPowers holds x^(8·2^k) modulo the Castagnoli polynomial: what a CRC is multiplied by when 2^k bytes are appended.
var appendPowers = func() (p [32]uint32) {
	p[0] = 1 << (31 - 8) // bit 31 is x^0, so this is x^8
	for k := 1; k < len(p); k++ {
		p[k] = multiply(p[k-1], p[k-1])
	}
	return p
}()

// multiply is the product of two polynomials modulo the Castagnoli polynomial, both with their lowest power in the highest bit,
// as CRC-32C has them.
func multiply(a, b uint32) (product uint32) {
	for ; a != 0; a <<= 1 {
		product ^= b & -(a >> 31)
		b = b>>1 ^ crc32.Castagnoli&-(b&1)
	}
	return product
}

// headCRC is the CRC of the part of the header that Patch changes.
func headCRC(b Batch) uint32 { return crc32.Checksum(b[attributesAt:patchEnd], castagnoli) }

// replaceHead returns the CRC of head' + tail, where crc is that of head + tail, the heads have one length, oldHead and newHead
// are their CRCs, and the tail has n bytes, which are not looked at.
//
// A CRC is linear: two inputs of one length that differ in the head alone have CRCs whose difference is that of the heads' CRCs,
// carried on over the n bytes that follow, which is a product with x^(8n).
func replaceHead(crc, oldHead, newHead uint32, n int) uint32 {
	diff := oldHead ^ newHead
	for k := 0; n != 0; n, k = n>>1, k+1 {
		if n&1 != 0 {
			diff = multiply(appendPowers[k], diff)
		}
	}
	return crc ^ diff
}
