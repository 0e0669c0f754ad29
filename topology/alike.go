package topology

import "reflect"

// Alike says whether two links carry the same topics and groups in the same way, whatever they are called, whichever clusters they join, and
// at what cost.
func (l *Link) Alike(o *Link) bool {
	a, b := *l, *o
	a.Name, a.Pairs, a.Cost = b.Name, b.Pairs, b.Cost
	return reflect.DeepEqual(a, b)
}
