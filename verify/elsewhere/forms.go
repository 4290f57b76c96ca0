// JSON objects of which every member is in its form, and instants.
package main

import (
	"reflect"
	"regexp"
	"time"
	"unicode/utf8"
)

type inForm func(any) bool

// only is an object that has exactly these members, each in its form.
func only(said any, forms map[string]inForm) (object, bool) {
	found, is := said.(object)
	if !is || len(found) != len(forms) {
		return nil, false
	}
	for name, good := range forms {
		if value, there := found[name]; !there || !good(value) {
			return nil, false
		}
	}
	return found, true
}

func matching(pattern string, longest int) inForm {
	compiled := regexp.MustCompile(`^(` + pattern + `)$`)
	return func(said any) bool {
		text, is := said.(string)
		return is && len(text) <= longest && compiled.MatchString(text)
	}
}

func textOf(longest int) inForm {
	return func(said any) bool {
		text, is := said.(string)
		return is && text != "" && utf8.RuneCountInString(text) <= longest
	}
}

func exactly(wanted string) inForm { return func(said any) bool { return said == wanted } }

func wholeFrom(least int64) inForm {
	return func(said any) bool { number, is := said.(int64); return is && number >= least }
}

func perhaps(good inForm) inForm { return func(said any) bool { return said == nil || good(said) } }

func several(good inForm, most int) inForm {
	return func(said any) bool {
		list, is := said.([]any)
		if !is || len(list) > most {
			return false
		}
		for _, each := range list {
			if !good(each) {
				return false
			}
		}
		return true
	}
}

func anything(any) bool { return true }

const unbounded = 1 << 30

var (
	word        = textOf(200)
	hexadecimal = matching(`([0-9a-f]{2})+`, 2000)
	digest      = matching(`[0-9a-f]{64}`, 64)
	nonce       = matching(`[0-9a-f]{32}`, 32)
	thumbprint  = matching(`[A-Za-z0-9_-]{43}`, 43)
	form3339    = matching(`[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z`, 20)
)

const written3339 = "2006-01-02T15:04:05Z"

// moment is an instant of whole seconds, in UTC, in its one form.
func moment(said any) (time.Time, bool) {
	if !form3339(said) {
		return time.Time{}, false
	}
	at, err := time.Parse(written3339, said.(string))
	return at, err == nil && at.Year() > 0
}

func isMoment(said any) bool { _, is := moment(said); return is }

func written(at time.Time) string { return at.UTC().Format(written3339) }

func same(one, other any) bool { return reflect.DeepEqual(one, other) }

// texts is a list of texts, which was found to be one.
func texts(said any) []string {
	found := []string{}
	for _, each := range said.([]any) {
		found = append(found, each.(string))
	}
	return found
}
