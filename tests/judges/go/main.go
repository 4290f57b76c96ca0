// What Go says of a Trial CPA Certificate: its path, both lists and an OCSP answer.
//
// judge FOLDER NAME SECONDS (since 1970) prints three lines, "good" or what is wrong in each.
package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/crypto/ocsp"
)

var folder string

func main() {
	folder = os.Args[1]
	seconds, err := strconv.ParseInt(os.Args[3], 10, 64)
	must(err)
	at := time.Unix(seconds, 0)
	root, issuing, leaf := certificate("root.der"), certificate("issuing.der"), certificate(os.Args[2]+".der")
	fmt.Println("path:", said(path(root, issuing, leaf, at)))
	lists := listed(issuing, leaf, "issuing.crl", at)
	if lists == nil {
		lists = listed(root, issuing, "root.crl", at)
	}
	fmt.Println("lists:", said(lists))
	fmt.Println("answer:", said(answered(issuing, leaf, os.Args[2]+".sha256.ocsp", at)))
}

func path(root, issuing, leaf *x509.Certificate, at time.Time) error {
	if len(leaf.UnhandledCriticalExtensions) > 0 {
		return fmt.Errorf("critical and not known: %v", leaf.UnhandledCriticalExtensions)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	between.AddCert(issuing)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

func listed(issuer, subject *x509.Certificate, name string, at time.Time) error {
	list, err := x509.ParseRevocationList(bytes(name))
	if err != nil {
		return err
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return err
	}
	if at.Before(list.ThisUpdate) || at.After(list.NextUpdate) {
		return fmt.Errorf("not current")
	}
	for _, extension := range list.Extensions {
		if extension.Critical {
			return fmt.Errorf("critical and not known: %v", extension.Id)
		}
	}
	for _, entry := range list.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(subject.SerialNumber) == 0 {
			return fmt.Errorf("revoked, reason %d", entry.ReasonCode)
		}
	}
	return nil
}

func answered(issuer, subject *x509.Certificate, name string, at time.Time) error {
	answer, err := ocsp.ParseResponseForCert(bytes(name), subject, issuer)
	if err != nil {
		return err
	}
	if at.Before(answer.ThisUpdate) || at.After(answer.NextUpdate) {
		return fmt.Errorf("not current")
	}
	if answer.Status != ocsp.Good {
		return fmt.Errorf("revoked, reason %d", answer.RevocationReason)
	}
	return nil
}

func said(err error) string {
	if err == nil {
		return "good"
	}
	return err.Error()
}

func certificate(name string) *x509.Certificate {
	parsed, err := x509.ParseCertificate(bytes(name))
	must(err)
	return parsed
}

func bytes(name string) []byte {
	read, err := os.ReadFile(filepath.Join(folder, name))
	must(err)
	return read
}

func must(err error) {
	if err != nil {
		fmt.Println("cannot judge:", err)
		os.Exit(1)
	}
}
