// The checks of verify/README.md, written again: one vector on standard input, its verdict on standard output.
//
//	go build -o judge . && trialcpa-verify conformance -- ./judge
//
// With --each there is a vector in each line, and its verdict in a line.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

const (
	form = iota + 1
	signature
	origin
	_ // order: of a whole copy only
	root
	wentBack
	twoHistories
	document
)

type failed int

func require(good bool, check int) {
	if !good {
		panic(failed(check))
	}
}

type object = map[string]any

// judged is the verdict of one vector; of what is no vector, that its form is wrong.
func judged(octets []byte) (verdict object) {
	defer func() {
		switch found := recover().(type) {
		case nil:
		case failed:
			verdict = object{"check": int(found)}
		default: // a member that is missing, or of another type
			verdict = object{"check": form}
		}
	}()
	vector, err := readJSON(octets, true)
	require(err == nil, form)
	question, evidence := vector.(object)["question"].(object), vector.(object)["evidence"].(object)
	switch {
	case has(evidence, "certificate"):
		return checked(question, evidence)
	case has(evidence, "dossier"):
		return decided(evidence)
	case has(evidence, "register"):
		return registered(evidence)
	}
	return logged(question, evidence)
}

func has(said object, name string) bool {
	_, is := said[name]
	return is
}

// logged is the verdict about a row with its proof, or about two checkpoints.
func logged(question, evidence object) object {
	log := keyOf(evidence["log"].(string))
	seen := read(evidence["checkpoint"].(string), log)
	path := func() (found [][]byte) {
		for _, each := range evidence["hashes"].([]any) {
			found = append(found, decoded(each.(string)))
		}
		return found
	}
	if earlier, is := evidence["earlier"].(string); is {
		before := read(earlier, log)
		require(seen.size >= before.size, wentBack)
		require(consistent(before.size, seen.size, before.root, seen.root, path()), twoHistories)
		return object{"grown": true}
	}
	row := evidence["row"].(object)
	place := row["number"].(int64)
	require(place >= 1, form)
	require(bytes.Equal(included(hash(0, canonical(row)), uint64(place-1), seen.size, path()), seen.root), root)
	return answered(row, question)
}

func main() {
	answers := json.NewEncoder(os.Stdout)
	if len(os.Args) < 2 || os.Args[1] != "--each" {
		octets, _ := io.ReadAll(os.Stdin)
		answers.Encode(judged(octets))
		return
	}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 {
			answers.Encode(judged(line))
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
}
