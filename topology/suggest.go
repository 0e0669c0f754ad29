package topology

import "strings"

// didYouMean is the known word that is closest, if it is close.
func didYouMean(word string, known []string) string {
	best, least := "", min(3, len(word)/2+1)
	for _, k := range known {
		if max(len(k)-len(word), len(word)-len(k)) >= least {
			continue
		}
		if strings.EqualFold(word, k) {
			return "did you mean " + k + "?"
		}
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return "did you mean " + best + "?"
}

// distance is how many letters have to be added, left out, changed or swapped with their neighbour to make b of a.
func distance(a, b string) int {
	if len(a) > 32 || len(b) > 32 {
		return 32 // too much to look for a typing error in
	}
	before, last := []int(nil), upTo(len(b))
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

func upTo(n int) []int {
	row := make([]int, n+1)
	for i := range row {
		row[i] = i
	}
	return row
}
