module peers

go 1.26

require (
	github.com/google/cel-go v0.31.0
	github.com/open-policy-agent/opa v1.22.3
)
