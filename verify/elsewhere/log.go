// The log: its tree (RFC 9162, 2.1), and its checkpoints as notes (C2SP signed-note, tlog-checkpoint).
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

func hash(prefix byte, parts ...[]byte) []byte {
	sum := sha256.New()
	sum.Write([]byte{prefix})
	for _, each := range parts {
		sum.Write(each)
	}
	return sum.Sum(nil)
}

func included(leaf []byte, index, size uint64, path [][]byte) []byte {
	require(index < size, root)
	inner := bits.Len64(index ^ (size - 1))
	border := bits.OnesCount64(index >> inner)
	require(len(path) == inner+border, root)
	for i, each := range path {
		if i < inner && index>>i&1 == 0 {
			leaf = hash(1, leaf, each)
		} else {
			leaf = hash(1, each, leaf)
		}
	}
	return leaf
}

func consistent(first, second uint64, before, after []byte, path [][]byte) bool {
	if first == second {
		return len(path) == 0 && bytes.Equal(before, after)
	}
	if first == 0 {
		empty := sha256.Sum256(nil)
		return len(path) == 0 && bytes.Equal(before, empty[:])
	}
	if first&(first-1) == 0 {
		path = append([][]byte{before}, path...)
	}
	if len(path) == 0 {
		return false
	}
	place, last := first-1, second-1
	for place&1 == 1 {
		place, last = place>>1, last>>1
	}
	old, grown := path[0], path[0]
	for _, each := range path[1:] {
		if last == 0 {
			return false
		}
		if place&1 == 1 || place == last {
			old, grown = hash(1, each, old), hash(1, each, grown)
			for place&1 == 0 && place != 0 {
				place, last = place>>1, last>>1
			}
		} else {
			grown = hash(1, grown, each)
		}
		place, last = place>>1, last>>1
	}
	return last == 0 && bytes.Equal(old, before) && bytes.Equal(grown, after)
}

// --- keys and notes

func decoded(text string) []byte {
	octets, err := base64.StdEncoding.Strict().DecodeString(text)
	require(err == nil && base64.StdEncoding.EncodeToString(octets) == text, form)
	return octets
}

type key struct {
	name   string
	id     []byte
	public ed25519.PublicKey
}

func keyOf(vkey string) key {
	parts := strings.SplitN(vkey, "+", 3)
	require(len(parts) == 3 && parts[0] != "" && !strings.ContainsAny(parts[0], " \n"), form)
	octets := decoded(parts[2])
	require(len(octets) == 33 && octets[0] == 1, form)
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), octets...))
	require(hex.EncodeToString(sum[:4]) == parts[1], form)
	return key{parts[0], sum[:4], octets[1:]}
}

type checkpoint struct {
	size uint64
	root []byte
}

var number = regexp.MustCompile(`^(0|[1-9][0-9]{0,15})$`)

func read(note string, log key) checkpoint {
	end := strings.LastIndex(note, "\n\n")
	require(end >= 0 && strings.HasSuffix(note, "\n") && len(note) <= 16384, form)
	for _, each := range note {
		require(each >= 0x20 || each == '\n', form)
	}
	body := note[:end+1]
	lines := strings.Split(note[:end], "\n")
	require(len(lines) >= 3 && number.MatchString(lines[1]), form)
	for _, each := range lines {
		require(each != "", form)
	}
	size, _ := strconv.ParseUint(lines[1], 10, 64)
	seen := checkpoint{size, decoded(lines[2])}
	require(len(seen.root) == 32, form)
	var ours [][]byte
	for _, line := range strings.Split(strings.TrimSuffix(note[end+2:], "\n"), "\n") {
		parts := strings.Split(line, " ")
		require(len(parts) == 3 && parts[0] == "\u2014" && parts[1] != "" && !strings.Contains(parts[1], "+"), form)
		octets := decoded(parts[2])
		require(len(octets) > 4, form)
		if parts[1] == log.name && bytes.Equal(octets[:4], log.id) {
			ours = append(ours, octets[4:])
		}
	}
	require(lines[0] == log.name, origin)
	require(len(ours) == 1 && ed25519.Verify(log.public, []byte(body), ours[0]), signature)
	return seen
}
