/* report/figures/figure_arrange.h - the order of what a panel shows, and what is left out. */
#ifndef OGPT_REPORT_FIGURES_FIGURE_ARRANGE_H
#define OGPT_REPORT_FIGURES_FIGURE_ARRANGE_H

#include "report/figures/figure_data.h"

/* Names that are numbers ascend, words keep the order of the rows. Lines of DOTS without a value
 * go, and beyond FigureSpec.most the smallest. 0 or OGPT_ENOMEM. */
int figure_arrange(FigurePanel *panel, const FigureSpec *figure);

#endif
