// JSON of the log: read strictly, and written in its one form (RFC 8785).
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strconv"
	"unicode/utf8"
)

func write(out *bytes.Buffer, value any) {
	switch it := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, it)
	case int64:
		fmt.Fprint(out, it)
	case string:
		writeText(out, it)
	case []any:
		out.WriteByte('[')
		for i, each := range it {
			if i > 0 {
				out.WriteByte(',')
			}
			write(out, each)
		}
		out.WriteByte(']')
	case object:
		names := make([]string, 0, len(it))
		for name := range it {
			names = append(names, name)
		}
		sort.Strings(names)
		out.WriteByte('{')
		for i, name := range names {
			if i > 0 {
				out.WriteByte(',')
			}
			writeText(out, name)
			out.WriteByte(':')
			write(out, it[name])
		}
		out.WriteByte('}')
	}
}

func writeText(out *bytes.Buffer, text string) {
	short := map[rune]string{'"': `\"`, '\\': `\\`, '\b': `\b`, '\f': `\f`, '\n': `\n`, '\r': `\r`, '\t': `\t`}
	out.WriteByte('"')
	for _, each := range text {
		if escaped, is := short[each]; is {
			out.WriteString(escaped)
		} else if each < 0x20 {
			fmt.Fprintf(out, `\u%04x`, each)
		} else {
			out.WriteRune(each)
		}
	}
	out.WriteByte('"')
}

func canonical(value any) []byte {
	var out bytes.Buffer
	write(&out, value)
	return out.Bytes()
}

const deepest, largest = 64, int64(1)<<53 - 1

var (
	whole     = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,15})$`)
	surrogate = regexp.MustCompile(`\\u[dD][89aAbB][0-9a-fA-F]{2}(\\u[dD][c-fC-F][0-9a-fA-F]{2})?|\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
)

var errJSON = errors.New("it is no such JSON")

// readJSON reads JSON strictly: UTF-8, each member once, not too deep, no half a character. Of ours, numbers are whole
// and members named in ASCII; a foreign one (of a browser) may have other names and numbers.
func readJSON(octets []byte, ours bool) (any, error) {
	if !utf8.Valid(octets) || !json.Valid(octets) {
		return nil, errJSON
	}
	// A backslash before a backslash begins no escape of half a character.
	for _, each := range surrogate.FindAll(bytes.ReplaceAll(octets, []byte(`\\`), []byte("__")), -1) {
		if len(each) != 12 {
			return nil, errJSON
		}
	}
	reader := json.NewDecoder(bytes.NewReader(octets))
	reader.UseNumber()
	return readValue(reader, ours, deepest)
}

func readValue(reader *json.Decoder, ours bool, deeper int) (any, error) {
	token, err := reader.Token()
	if err != nil {
		return nil, err
	}
	switch it := token.(type) {
	case json.Number:
		return readNumber(it.String(), ours)
	case json.Delim:
		switch {
		case deeper == 0:
			return nil, errJSON
		case it == '[':
			return readList(reader, ours, deeper-1)
		default:
			return readObject(reader, ours, deeper-1)
		}
	}
	return token, nil
}

func readNumber(digits string, ours bool) (any, error) {
	if whole.MatchString(digits) {
		if number, err := strconv.ParseInt(digits, 10, 64); err == nil && -largest <= number && number <= largest {
			return number, nil
		}
		return nil, errJSON
	}
	number, err := strconv.ParseFloat(digits, 64)
	if ours || err != nil {
		return nil, errJSON
	}
	return number, nil
}

func readList(reader *json.Decoder, ours bool, deeper int) (any, error) {
	found := []any{}
	for reader.More() {
		each, err := readValue(reader, ours, deeper)
		if err != nil {
			return nil, err
		}
		found = append(found, each)
	}
	_, err := reader.Token()
	return found, err
}

func readObject(reader *json.Decoder, ours bool, deeper int) (any, error) {
	found := object{}
	for reader.More() {
		token, err := reader.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		if _, twice := found[name]; twice || ours && !ascii(name) {
			return nil, errJSON
		}
		if found[name], err = readValue(reader, ours, deeper); err != nil {
			return nil, err
		}
	}
	_, err := reader.Token()
	return found, err
}

func ascii(text string) bool {
	for _, each := range []byte(text) {
		if each >= 0x80 {
			return false
		}
	}
	return true
}
