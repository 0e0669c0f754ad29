package main

import (
	"math"
	"slices"
)

// quantile is the smallest value that a share q of all values does not exceed; NaN of none.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[max(0, min(len(sorted)-1, int(math.Ceil(q*float64(len(sorted))))-1))]
}

// median is that of each name by itself.
func median(runs []measurement) measurement {
	values := map[string][]float64{}
	for _, m := range runs {
		for name, v := range m {
			values[name] = append(values[name], v)
		}
	}
	m := measurement{}
	for name, all := range values {
		m[name] = quantile(all, 0.5)
	}
	return m
}
