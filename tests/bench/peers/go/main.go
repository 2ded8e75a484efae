// The engines of Go: peers RULES PEER
//
// RULES has what rules.py wrote, and cases.json. Prints one object of JSON.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/common/types"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
)

type rule struct {
	Cells      []int64
	Judgements []string
	Indicators []string
}

// What an engine is given, and what must come out.
type oneCase struct {
	given map[string]any
	stars int64
}

// Makes of the cases a function from the index of one to its stars.
type peer func(rules string, r rule, cases []oneCase) (func(int) (int64, error), error)

func read(rules, name string) []byte {
	text, err := os.ReadFile(filepath.Join(rules, name))
	if err != nil {
		log.Fatal(err)
	}
	return text
}

func unmarshal(text []byte, into any) {
	if err := json.Unmarshal(text, into); err != nil {
		log.Fatal(err)
	}
}

// Levels, and shares or null.
func readCases(rules string, r rule) []oneCase {
	var raw []map[string]json.RawMessage
	unmarshal(read(rules, "cases.json"), &raw)
	var cases []oneCase
	for _, fields := range raw {
		one := oneCase{given: map[string]any{}}
		unmarshal(fields["stars"], &one.stars)
		for _, name := range r.Judgements {
			var level int64
			unmarshal(fields[name], &level)
			one.given[name] = level
		}
		for _, name := range r.Indicators {
			var ratio []float64
			unmarshal(fields[name], &ratio)
			one.given[name] = nil
			if ratio != nil {
				one.given[name] = ratio[0] / ratio[1]
			}
		}
		cases = append(cases, one)
	}
	return cases
}

func celGo(rules string, r rule, cases []oneCase) (func(int) (int64, error), error) {
	options := []cel.EnvOption{cel.Constant("table", cel.ListType(cel.IntType),
		types.DefaultTypeAdapter.NativeToValue(r.Cells))}
	for _, name := range r.Judgements {
		options = append(options, cel.Variable(name, cel.IntType))
	}
	for _, name := range r.Indicators {
		options = append(options, cel.Variable(name, cel.NullableType(cel.DoubleType)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(string(read(rules, "stars.cel")))
	if issues.Err() != nil {
		return nil, issues.Err()
	}
	program, err := env.Program(checked, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, err
	}
	return func(i int) (int64, error) {
		value, _, err := program.Eval(cases[i].given)
		if err != nil {
			return 0, err
		}
		return int64(value.(types.Int)), nil
	}, nil
}

func opa(rules string, r rule, cases []oneCase) (func(int) (int64, error), error) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.england.stars"),
		rego.Module("stars.rego", string(read(rules, "stars.rego")))).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	// Its own form of a value, made beforehand.
	inputs := make([]ast.Value, len(cases))
	for i, one := range cases {
		if inputs[i], err = ast.InterfaceToValue(one.given); err != nil {
			return nil, err
		}
	}
	return func(i int) (int64, error) {
		found, err := query.Eval(ctx, rego.EvalParsedInput(inputs[i]))
		if err != nil {
			return 0, err
		}
		return found[0].Expressions[0].Value.(json.Number).Int64()
	}, nil
}

// Seconds of a core that the process has used.
func used() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e9
}

// Decisions in a second of a core, over all cases again and again.
func turn(decide func(int) (int64, error), count int) float64 {
	done := 0
	begun := used()
	for used()-begun < 1 {
		for range 1024 {
			_, _ = decide(done % count)
			done++
		}
	}
	return float64(done) / (used() - begun)
}

func main() {
	rules, name := os.Args[1], os.Args[2]
	var r rule
	unmarshal(read(rules, "rule.json"), &r)
	cases := readCases(rules, r)
	decide, err := map[string]peer{"cel-go": celGo, "OPA": opa}[name](rules, r, cases)
	if err != nil {
		log.Fatal(err)
	}
	agreed := 0
	for i, one := range cases {
		stars, err := decide(i)
		if err != nil {
			log.Fatal(err)
		}
		if stars == one.stars {
			agreed++
		}
	}
	rates := []float64{0}
	if agreed == len(cases) {
		rates = []float64{turn(decide, len(cases)), turn(decide, len(cases)), turn(decide, len(cases))}
		slices.Sort(rates)
	}
	answer, _ := json.Marshal(map[string]any{"peer": name, "agreed": agreed, "cases": len(cases),
		"decisions_per_second": rates[len(rates)/2]})
	fmt.Println(string(answer))
}
