-- Every part of an error belongs to one source, so the shares of a basis add up to 1.
select
    factor,
    basis,
    sum(share_fraction) as share_sum
from out.error_shares
group by factor, basis
having abs(sum(share_fraction) - 1) > 1e-9
