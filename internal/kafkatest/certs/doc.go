// Package certs makes the certificates of a test cluster: one authority, a broker and a client that it signed.
//
//	ca.pem ──signs──▶ broker.pem (key and certificate, as Kafka's PEM keystore wants them)
//	         ──signs──▶ client.pem, client-key.pem (for Go), client-keystore.pem (both, for Java)
//
// Invariant: the broker's certificate is valid for 127.0.0.1, ::1 and localhost, and for nothing else.
//
// It must never be used outside of tests: the keys lie unencrypted in the folder.
package certs
