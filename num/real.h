/* num/real.h - the number type of the network: float as shipped; the gradient tests compile
 * the plain kernels and the graph with -DOGPT_REAL_DOUBLE. */
#ifndef OGPT_NUM_REAL_H
#define OGPT_NUM_REAL_H

#ifdef OGPT_REAL_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
