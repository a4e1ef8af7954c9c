package conformance

import (
	"cmp"
	"slices"
)

// All returns all cases, sorted by id.
func All() []Case {
	all := slices.Concat(dumbCases, mapCases, exportCases, importCases, pairCases, storeCases,
		raceCases, lifeCases, coreCases, exhaustCases, signalCases,
		countCases, purgeCases, debugCases, kernelCases,
		moduleCases, unplugCases, rebindCases, blockedCases, configfsCases)
	slices.SortFunc(all, func(a, b Case) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
