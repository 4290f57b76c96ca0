// DER (X.690, 10) read value by value: lengths definite and minimal, nothing left over.
package main

import (
	"time"
	"unicode/utf8"
)

const (
	tagInteger, tagBits, tagOctets, tagOID, tagUTF8 = 0x02, 0x03, 0x04, 0x06, 0x0c
	tagUTCTime, tagTime                             = 0x17, 0x18
	tagSequence, tagSet, tagExplicit0               = 0x30, 0x31, 0xa0
)

type notDER string

// der is what is still to be read; whatever is not as it is asked for ends the reading by a panic of notDER.
type der []byte

func refuseDER(good bool, why string) {
	if !good {
		panic(notDER(why))
	}
}

// readDER runs a reading and says whether it came to its end.
func readDER(reading func()) (good bool) {
	defer func() {
		if found := recover(); found != nil {
			if _, is := found.(notDER); !is {
				panic(found)
			}
			good = false
		}
	}()
	reading()
	return true
}

// whole takes the next value with its tag and length.
func (d *der) whole(tag byte) (all, contents []byte) {
	octets := *d
	refuseDER(len(octets) >= 2 && octets[0] == tag, "another tag")
	size, start := int(octets[1]), 2
	if size >= 0x80 {
		count := size & 0x7f
		refuseDER(count > 0 && count <= 4 && len(octets) >= 2+count && octets[2] != 0, "no such length")
		size, start = 0, 2+count
		for _, each := range octets[2:start] {
			size = size<<8 | int(each)
		}
		refuseDER(size >= 0x80, "a length that is not minimal")
	}
	refuseDER(size <= len(octets)-start, "cut short")
	*d = octets[start+size:]
	return octets[:start+size], octets[start : start+size]
}

func (d *der) next(tag byte) []byte { _, contents := d.whole(tag); return contents }

func (d *der) sequence() *der { inner := der(d.next(tagSequence)); return &inner }

func (d *der) end() { refuseDER(len(*d) == 0, "something is left over") }

// integer is a number that is not negative, minimal and of eight octets at most.
func (d *der) integer() (number int64) {
	octets := d.next(tagInteger)
	refuseDER(len(octets) > 0 && len(octets) <= 8 && octets[0] < 0x80, "no such number")
	refuseDER(len(octets) == 1 || octets[0] != 0 || octets[1] >= 0x80, "a number that is not minimal")
	for _, each := range octets {
		number = number<<8 | int64(each)
	}
	return number
}

func (d *der) text() string {
	octets := d.next(tagUTF8)
	refuseDER(len(octets) > 0 && utf8.Valid(octets), "no text")
	return string(octets)
}

func (d *der) octets(size int) []byte {
	octets := d.next(tagOctets)
	refuseDER(len(octets) == size, "another number of octets")
	return octets
}

func (d *der) instant() time.Time { return instantOf(string(d.next(tagTime))) }

var fourteen = matching(`[0-9]{14}Z`, 15)

func instantOf(digits string) time.Time {
	at, err := time.Parse("20060102150405Z", digits)
	refuseDER(fourteen(digits) && err == nil && at.Year() > 0, "no instant")
	return at
}
